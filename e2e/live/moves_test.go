package live

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// elsewhere is a namespace that Flux does not run in.
const elsewhere = "fleet"

// moveThePair moves the sync pair out of Flux's namespace, which a plan refuses, and back as it tells. Whichever way:
// without pruning, and with what is left deleted by hand.
func moveThePair(t *testing.T, r *replay) {
	r.shell(t, "kubectl create namespace "+elsewhere)
	for _, name := range []string{"sops-age", "deploy-key"} {
		r.shell(t, "kubectl -n flux-system get secret "+name+" -o yaml | sed 's/namespace: flux-system/namespace: "+elsewhere+"/' | kubectl create --filename -")
	}
	r.move(t, elsewhere)
	r.pushTree(t, "prune", r.files(t).edited(t, r.pair, "prune: false", "prune: true"))
	r.settle(t)
	r.finds(t, "wrong-namespace")
	r.move(t, fluxNamespace)
	r.before = r.snapshot(t)
	r.adopt(t)
}

// move gives the sync pair another namespace, as the message tells.
func (r *replay) move(t *testing.T, namespace string) {
	t.Helper()
	old, keys := r.pairNamespace(), []string{r.rootKey(), r.sourceKey()}
	r.pushTree(t, "do not prune", r.files(t).edited(t, r.pair, "prune: true", "prune: false"))
	r.settle(t)
	r.before = r.snapshot(t)
	r.expects(keys...)
	r.pushTree(t, "move", r.moved(t, old, namespace))
	r.settle(t)
	r.namespace = namespace
	r.shell(t, "kubectl -n "+namespace+" wait --for=condition=Ready --timeout=2m kustomization/"+r.root)
	r.shell(t, "kubectl -n "+old+" delete kustomization/"+r.root+" gitrepository/"+r.source)
	r.settle(t)
	if gone := r.before.lost(r.snapshot(t)); !slices.Equal(gone, slices.Sorted(slices.Values(keys))) {
		t.Fatalf("deleted or made anew: %s; want: %s", list(gone), list(keys))
	}
}

// moved is the repository with the sync pair in another namespace, and with all that refers to its source.
func (r *replay) moved(t *testing.T, old, namespace string) tree {
	t.Helper()
	files := maps.Clone(r.files(t))
	files = files.edited(t, r.pair, "namespace: "+old+"\n", "namespace: "+namespace+"\n")
	for name, content := range files {
		for _, source := range []string{"    name: " + r.source + "\n", "    name: ${SOURCE}\n"} {
			of := strings.NewReplacer(source+"    namespace: "+old+"\n", source+"    namespace: "+namespace+"\n",
				source, source+"    namespace: "+namespace+"\n")
			if name != r.pair {
				content = of.Replace(content)
			}
		}
		files[name] = content
	}
	return files
}
