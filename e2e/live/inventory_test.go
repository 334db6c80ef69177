package live

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"migrate-to-flux-operator/e2e/objects"
)

// The commits that inventory is held to kustomize-controller on: how many for each repository, and where chance begins.
var (
	commits = flag.Int("commits", 0, "hold inventory to kustomize-controller on so many random commits of each repository")
	seed    = flag.Uint64("seed", 1, "where the random commits begin")
)

// real are the repositories of the corpus whose history is made up, with the cluster of each.
var real = []struct{ folder, cluster string }{
	{"you-randomly__flux-cd@5a131079a", "clusters/my-cluster"},
	{"NULLx76__infrastructure@4fe990f88", "flux/olympus/base"},
	{"devantler-tech__platform@e9070c206", "k8s/clusters/production/.bootstrap"},
}

// TestInventory holds that what inventory says of a commit is what kustomize-controller does with it: on random commits
// of real repositories, which take entries, files and folders away, rename objects, and change what is pruned and what
// is guarded.
func TestInventory(t *testing.T) {
	if *commits == 0 {
		t.Skip("skipped: make e2e-inventory builds and runs a real API server")
	}
	built, product := theTools(t), theProduct(t)
	total := tally{}
	for _, one := range real {
		t.Run(one.folder, func(t *testing.T) {
			folder := filepath.Join("..", "..", "..", "shared", "corpus", one.folder)
			if _, err := os.Stat(folder); err != nil {
				t.Skipf("skipped: no corpus of real repositories at %s", folder)
			}
			held := newHeld(t, built, product, one.cluster, readTree(t, folder))
			for n := range *commits {
				total.add(held.commit(t, one.folder, n))
			}
		})
	}
	t.Logf("seed %d, %d commits\n%s", *seed, *commits, total)
}

// said is what inventory prints, as far as it is held to the cluster.
type said struct {
	Cluster, Path string
	Inventory     struct {
		Owners []struct {
			identity
			Root   bool
			Prune  bool
			Path   string
			Source identity
		}
		Entries []struct {
			identity
			APIVersion string
			File       string
		}
	}
	Verdict struct {
		Changes []struct {
			Action, Severity, Why string
			Object                identity
			From                  []identity
		}
		Issues []struct{ What string }
	}
}

// identity names an object.
type identity struct{ Group, Kind, Namespace, Name string }

// String is the name as objects.Name has it.
func (i identity) String() string {
	kind := i.Kind
	if i.Group != "" {
		kind += "." + i.Group
	}
	return path.Join(kind, i.Namespace, i.Name)
}

// held is a repository on a cluster, whose commits are made by chance.
type held struct {
	*cluster
	*checkout
	name     string // of the cluster in the repository
	base     tree
	source   identity
	deleted  *deletions
	requests int
	prunes   map[string]bool // each Flux Kustomization, as it was pushed last
}

// toggled are the Flux Kustomizations whose prune the next commit changes: what goes with it is pruned or not, as Flux
// sees one of the two first.
func (h *held) toggled(t *testing.T) map[string]bool {
	t.Helper()
	now, changed := map[string]bool{}, map[string]bool{}
	for _, owner := range h.ask(t).Inventory.Owners {
		name := owner.Namespace + "/" + owner.Name
		now[name] = owner.Prune
		if was, known := h.prunes[name]; known && was != owner.Prune {
			changed[name] = true
		}
	}
	h.prunes = now
	return changed
}

// newHeld lets a cluster apply a repository: with kustomize-controller and source-controller alone, so that all other
// objects stay what Flux applied.
func newHeld(t *testing.T, built tools, product, name string, files tree) *held {
	t.Helper()
	flux := manifests(t, built, fluxVersion)
	files = servable(t, files, flux)
	outside := serveInternet(t, http.NotFoundHandler())
	h := &held{cluster: startCluster(t, built), name: name, base: files}
	h.checkout = newCheckout(t, product, filepath.Join(t.TempDir(), "upstream"), files)
	listed := h.ask(t)
	root, source := h.pair(t, listed)
	url, _, _ := unstructured.NestedString(source.Object, "spec", "url")
	h.git(t, "remote", "remove", "origin")
	h.git(t, "init", "--quiet", "--bare", outside.repository(url))
	h.git(t, "remote", "add", "origin", outside.repository(url))
	h.checkout.commit(t, "upstream")
	components, err := objects.Read([]byte(flux))
	if err != nil {
		t.Fatal(err)
	}
	components = slices.DeleteFunc(components, func(o *objects.Object) bool { return o.GetKind() == "Deployment" })
	h.applyAll(t, "flux", append(components, definitionsOf(listed, components)...))
	namespaces := map[string]bool{}
	for _, entry := range listed.Inventory.Entries {
		if entry.Namespace != "" && !namespaces[entry.Namespace] {
			namespaces[entry.Namespace] = true
			h.applyAll(t, "owner", []*objects.Object{namespace(entry.Namespace)})
		}
	}
	storage := freeAddress(t)
	h.startController(t, "source-controller", outside.environment(), "--storage-path="+t.TempDir(),
		"--storage-addr="+storage, "--storage-adv-addr="+storage, "--interval-jitter-percentage=0")
	h.startController(t, "kustomize-controller", outside.environment(), "--interval-jitter-percentage=0", "--concurrent=8")
	h.applyAll(t, "flux", []*objects.Object{source, root})
	h.settle(t)
	h.tellFailures(t)
	h.toggled(t)
	h.deleted = h.watchDeletions(t)
	time.Sleep(5 * time.Second) // until every resource is watched
	return h
}

// namespace is a Namespace that is there before Flux: one that Flux creates it takes over.
func namespace(name string) *objects.Object {
	return &objects.Object{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": name}}}
}

// ask runs inventory on the checkout, and returns what it says of the cluster.
func (h *held) ask(t *testing.T, args ...string) said {
	t.Helper()
	command := exec.Command(h.product, append([]string{"inventory", h.checkout.directory, "--output", "json"}, args...)...)
	out, err := command.Output()
	var ended *exec.ExitError
	if err != nil && (!errors.As(err, &ended) || ended.ExitCode() != 1) {
		t.Fatalf("inventory %v: %v\n%s", args, err, out)
	}
	var all []said
	if err := json.Unmarshal(out, &all); err != nil {
		t.Fatal(err)
	}
	for _, one := range all {
		if one.Path == h.name || one.Cluster == h.name {
			return one
		}
	}
	t.Fatalf("inventory %v says nothing of %s:\n%.500s", args, h.name, out)
	return said{}
}

// pair are the root and its source, as the repository has them.
func (h *held) pair(t *testing.T, listed said) (root, source *objects.Object) {
	t.Helper()
	for _, owner := range listed.Inventory.Owners {
		if !owner.Root {
			continue
		}
		h.source = owner.Source
		for _, content := range h.base {
			for _, document := range documents(content) {
				found, err := objects.Read([]byte(document))
				if err != nil || len(found) != 1 {
					continue
				}
				switch one := found[0]; {
				case objects.Group(one) == "kustomize.toolkit.fluxcd.io" && one.GetName() == owner.Name && pathOf(one) == path.Clean(owner.Path):
					root = one
				case one.GetKind() == "GitRepository" && one.GetName() == owner.Source.Name && one.GetNamespace() == owner.Source.Namespace:
					source = one
				}
			}
		}
	}
	if root == nil || source == nil {
		t.Fatalf("no root or no source for %s", h.name)
	}
	return root, source
}

// pathOf is the path of a Flux Kustomization.
func pathOf(o *objects.Object) string {
	of, _, _ := unstructured.NestedString(o.Object, "spec", "path")
	return path.Clean(strings.TrimPrefix(of, "./"))
}

// definitionsOf define the kinds that a repository uses and neither Kubernetes nor Flux has: whatever is in them.
func definitionsOf(listed said, components []*objects.Object) []*objects.Object {
	defined := map[schema.GroupKind]bool{}
	for _, o := range components {
		group, _, _ := unstructured.NestedString(o.Object, "spec", "group")
		kind, _, _ := unstructured.NestedString(o.Object, "spec", "names", "kind")
		defined[schema.GroupKind{Group: group, Kind: kind}] = true
	}
	var made []*objects.Object
	for _, entry := range listed.Inventory.Entries {
		version := schema.FromAPIVersionAndKind(entry.APIVersion, entry.Kind)
		builtIn := !strings.Contains(version.Group, ".") || strings.HasSuffix(version.Group, ".k8s.io") && version.Group != "gateway.networking.k8s.io" &&
			version.Group != "externaldns.k8s.io"
		if builtIn || defined[version.GroupKind()] {
			continue
		}
		defined[version.GroupKind()] = true
		plural, scope := strings.ToLower(entry.Kind)+"s", "Cluster"
		if entry.Namespace != "" {
			scope = "Namespaced"
		}
		made = append(made, &objects.Object{Object: map[string]any{
			"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
			"metadata": map[string]any{"name": plural + "." + version.Group,
				"annotations": map[string]any{"api-approved.kubernetes.io": "unapproved, a stand-in"}},
			"spec": map[string]any{
				"group": version.Group, "scope": scope,
				"names": map[string]any{"kind": entry.Kind, "listKind": entry.Kind + "List", "plural": plural, "singular": strings.ToLower(entry.Kind)},
				"versions": []any{map[string]any{"name": version.Version, "served": true, "storage": true, "schema": map[string]any{
					"openAPIV3Schema": map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}},
			},
		}})
	}
	return made
}

// settle waits until every Flux Kustomization that reads the repository has tried the last commit, and those that go
// are gone.
func (h *held) settle(t *testing.T) {
	t.Helper()
	h.requests++
	asked := map[string]any{"metadata": map[string]any{"annotations": map[string]any{requestedAt: fmt.Sprint("held-", h.requests)}}}
	if err := h.patch(t.Context(), gitRepositories, h.source.Namespace, h.source.Name, asked); err != nil {
		t.Fatal(err)
	}
	calm := 0
	eventually(t, 5*time.Minute, "the cluster settles", func() error {
		h.finalize(t)
		waiting := h.untried(t)
		if waiting != nil {
			calm = 0
			return waiting
		}
		if calm++; calm < 12 {
			return errors.New("not calm yet")
		}
		return nil
	})
}

// untried says which Flux Kustomization has not tried the last commit.
func (h *held) untried(t *testing.T) error {
	t.Helper()
	all := h.list(t.Context(), kustomizations)
	if len(all) == 0 {
		return errors.New("no Flux Kustomizations")
	}
	for _, one := range all {
		suspended, _, _ := unstructured.NestedBool(one.Object, "spec", "suspend")
		source, _, _ := unstructured.NestedString(one.Object, "spec", "sourceRef", "name")
		tried, _, _ := unstructured.NestedString(one.Object, "status", "lastAttemptedRevision")
		state := conditionOf(&one, "Ready")
		switch {
		case one.GetDeletionTimestamp() != nil:
			return fmt.Errorf("%s is going: %s", one.GetName(), message(&one))
		case suspended || source != h.source.Name:
		case state == "False" && h.pathless(&one): // which has no revision that it tried
		case !strings.HasSuffix(tried, h.head) || state != "True" && state != "False" || conditionOf(&one, "Reconciling") == "True" && state != "False":
			return fmt.Errorf("%s has tried %q, not %s: %s", one.GetName(), tried, h.head, message(&one))
		}
	}
	return nil
}

// pathless reports whether the path of a Flux Kustomization is not in the last commit.
func (h *held) pathless(one *objects.Object) bool {
	_, err := os.Stat(filepath.Join(h.checkout.directory, filepath.FromSlash(pathOf(one))))
	return errors.Is(err, os.ErrNotExist)
}

// finalize lets Namespaces go that are deleted, as the controller of Namespaces does, but for what is in them.
func (h *held) finalize(t *testing.T) {
	t.Helper()
	namespaces := schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
	for _, one := range h.list(t.Context(), namespaces) {
		if one.GetDeletionTimestamp() == nil {
			continue
		}
		unstructured.RemoveNestedField(one.Object, "spec", "finalizers")
		body, err := json.Marshal(one.Object)
		if err != nil {
			t.Fatal(err)
		}
		_ = h.discovery.RESTClient().Put().AbsPath("/api/v1/namespaces", one.GetName(), "finalize").
			SetHeader("Content-Type", "application/json").Body(body).Do(t.Context()).Error()
	}
}

// outcome is one commit: what was done, what was predicted and what happened.
type outcome struct {
	repository, what   string
	predicted, deleted []string
	open               []string // deleted, where it was said that it may be
	untracked          []string // said to go, and in no inventory: its Flux Kustomization failed at the commit before
	missed, unforeseen []string // predicted and not deleted; deleted and not predicted
}

// compare holds what was said to what happened. It says of some that they may be deleted, or that it cannot know; and
// of what fails on the cluster for a reason that no file has, or prunes from this commit on or no longer, either is
// right. What no Flux Kustomization has applied, none prunes.
func (of *outcome) compare(verdict said, failing, untracked map[string]bool) {
	may, blind := map[string]bool{}, false
	for _, issue := range verdict.Verdict.Issues {
		blind = blind || strings.HasPrefix(issue.What, "not judged: it prunes what it applied last")
	}
	for _, change := range verdict.Verdict.Changes {
		name := change.Object.String()
		stopped := len(change.From) > 0 && !slices.ContainsFunc(change.From, func(from identity) bool { return !failing[from.Namespace+"/"+from.Name] })
		switch change.Action {
		case "lost", "replaced", "removed":
			switch may[name] = stopped; {
			case untracked[name]:
				of.untracked = append(of.untracked, name)
			case !stopped:
				of.predicted = append(of.predicted, name)
			}
		case "moved", "unjudged":
			may[name] = change.Severity != "info"
		}
	}
	for _, name := range of.predicted {
		if !slices.Contains(of.deleted, name) {
			of.missed = append(of.missed, name)
		}
	}
	for _, name := range of.deleted {
		switch {
		case slices.Contains(of.predicted, name):
		case may[name] || blind:
			of.open = append(of.open, name)
		default:
			of.unforeseen = append(of.unforeseen, name)
		}
	}
}

// failing are the Flux Kustomizations that did not apply the last commit.
func (h *held) failing(t *testing.T) map[string]bool {
	failing := map[string]bool{}
	for _, one := range h.list(t.Context(), kustomizations) {
		failing[one.GetNamespace()+"/"+one.GetName()] = conditionOf(&one, "Ready") != "True"
	}
	return failing
}

// untracked are the objects of a verdict that no Flux Kustomization can prune, because those that apply them failed at
// the commit before: kustomize-controller prunes what is in its inventory, and that gets only what was applied as a whole.
// inventory takes that commit for applied, as it says.
func (h *held) untracked(t *testing.T, verdict said) map[string]bool {
	t.Helper()
	failing, untracked := h.failing(t), map[string]bool{}
	tracked := map[string]bool{}
	for _, one := range h.list(t.Context(), kustomizations) {
		entries, _, _ := unstructured.NestedSlice(one.Object, "status", "inventory", "entries")
		for _, entry := range entries {
			id, _ := entry.(map[string]any)["id"].(string)
			tracked[one.GetNamespace()+"/"+one.GetName()+" "+id] = true
		}
	}
	for _, change := range verdict.Verdict.Changes {
		held := slices.ContainsFunc(change.From, func(from identity) bool {
			owner := from.Namespace + "/" + from.Name
			return !failing[owner] || tracked[owner+" "+change.Object.tracked()]
		})
		if len(change.From) > 0 && !held {
			untracked[change.Object.String()] = true
		}
	}
	return untracked
}

// tracked is the name as the inventory of a Flux Kustomization has it.
func (i identity) tracked() string {
	return strings.Join([]string{i.Namespace, strings.ReplaceAll(i.Name, ":", "__"), i.Group, i.Kind}, "_")
}

// commit makes a commit by chance, lets the cluster apply it, and compares. Every fifth goes back to where the
// repository began.
func (h *held) commit(t *testing.T, repository string, n int) outcome {
	t.Helper()
	of := outcome{repository: repository}
	if n%5 == 4 {
		of.what = "back to the beginning"
		h.replace(t, h.base)
	} else {
		of.what = h.change(t, chance(*seed, repository, n))
	}
	toggled := h.toggled(t)
	before := len(h.deleted.all())
	verdict := h.ask(t, "--against", "HEAD")
	untracked := h.untracked(t, verdict)
	h.checkout.commit(t, of.what)
	h.settle(t)
	of.deleted = slices.Compact(slices.Sorted(slices.Values(h.deleted.all()[before:])))
	stopped := h.failing(t)
	maps.Copy(stopped, toggled)
	of.compare(verdict, stopped, untracked)
	t.Logf("%d: %s: %d predicted, %d deleted, of these %d that it says may go; not applied before: %s", n, of.what,
		len(of.predicted), len(of.deleted), len(of.open), list(of.untracked))
	if len(of.missed)+len(of.unforeseen) > 0 {
		t.Errorf("%d: %s: predicted and not deleted: %s; deleted and not predicted: %s", n, of.what, list(of.missed), list(of.unforeseen))
		for _, change := range verdict.Verdict.Changes {
			t.Logf("%s %s: %s", change.Action, change.Object, change.Why)
		}
		h.tellFailures(t)
	}
	return of
}

// tellFailures says which Flux Kustomizations do not apply what they should.
func (h *held) tellFailures(t *testing.T) {
	t.Helper()
	for _, one := range h.list(t.Context(), kustomizations) {
		if conditionOf(&one, "Ready") != "True" {
			t.Logf("%s: %.300s", one.GetName(), message(&one))
		}
	}
}

// tally counts the outcomes for each repository.
type tally map[string][]outcome

// add counts an outcome.
func (t tally) add(one outcome) { t[one.repository] = append(t[one.repository], one) }

// String is the table as Markdown.
func (t tally) String() string {
	var out strings.Builder
	out.WriteString("| repository | commits | of these with deletions | objects that it says go | not applied before | " +
		"objects deleted | of these, it says may go | commits that agree |\n|---|---|---|---|---|---|---|---|\n")
	for _, repository := range slices.Sorted(maps.Keys(t)) {
		some, predicted, untracked, deleted, open, agree := 0, 0, 0, 0, 0, 0
		for _, one := range t[repository] {
			predicted, untracked = predicted+len(one.predicted), untracked+len(one.untracked)
			deleted, open = deleted+len(one.deleted), open+len(one.open)
			if len(one.deleted) > 0 {
				some++
			}
			if len(one.missed)+len(one.unforeseen) == 0 {
				agree++
			}
		}
		fmt.Fprintf(&out, "| %s | %d | %d | %d | %d | %d | %d | %d |\n", repository, len(t[repository]), some, predicted,
			untracked, deleted, open, agree)
	}
	return out.String()
}
