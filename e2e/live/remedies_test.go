package live

import (
	"path"
	"regexp"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"migrate-to-flux-operator/e2e/objects"
)

// edit is a change by hand: it returns the repository as it is then.
type edit func(*testing.T, tree) tree

// remedy is a message that tells a person to change the repository, followed push by push.
type remedy struct {
	name    string
	layout  layout // the one with the artifact where it has no name
	fault   edit   // what the message is about
	words   string // of the message
	steps   []edit // what it tells to do, a push each
	deletes []string
	changes []string // what the steps change on purpose
	prefix  string   // of the names that are deleted besides, by hand where Flux leaves them
}

// kustomizationNamed is a Flux Kustomization's key in a snapshot.
func kustomizationNamed(name string) string {
	return "Kustomization.kustomize.toolkit.fluxcd.io/flux-system/" + name
}

// remedies are those that change files before the first commit.
var remedies = []remedy{
	{
		name: "name-in-the-way", words: "To rename this one instead, set prune: false on it, push that, and wait until it is live",
		fault:   with("kubernetes/flux/extra.yaml", fluxKustomization(instanceName, "./apps/extra"), "apps/extra/extra.yaml", extraObject),
		steps:   []edit{replaced("kubernetes/flux/extra.yaml", "prune: true", "prune: false"), replaced("kubernetes/flux/extra.yaml", instanceName, "extra")},
		deletes: []string{kustomizationNamed(instanceName)},
	},
	{
		name: "two-roots-one-goes", words: "remove the one that does not run, after prune: false on it is pushed and applied",
		fault: func(t *testing.T, files tree) tree {
			return secondRoot(t, files).edited(t, "kubernetes/flux/second.yaml", "spec:\n", "spec:\n  suspend: true\n")
		},
		steps:   []edit{replaced("kubernetes/flux/second.yaml", "prune: true", "prune: false"), removed("kubernetes/flux/second.yaml")},
		deletes: []string{kustomizationNamed("second")},
	},
	{
		name: "two-roots-one-lets-go", words: "set prune: false on one, push, and wait until that is applied; then let it apply this no more",
		fault: func(t *testing.T, files tree) tree {
			return secondRoot(t, files).with("apps/extra/extra.yaml", extraObject)
		},
		steps: []edit{
			replaced("kubernetes/flux/second.yaml", "prune: true", "prune: false"),
			replaced("kubernetes/flux/second.yaml", "./kubernetes/flux", "./apps/extra"),
		},
		changes: []string{kustomizationNamed("second")},
	},
	{
		name: "two-installs", words: "set deletionPolicy: Orphan there",
		fault: func(t *testing.T, files tree) tree {
			_, second, _ := strings.Cut(files[installFile], "---\n")
			return files.with("kubernetes/flux/second.yaml", strings.Replace(second, "name: flux\n", "name: flux-again\n", 1))
		},
		steps: []edit{
			replaced("kubernetes/flux/second.yaml", "prune: true", "prune: true\n  deletionPolicy: Orphan"), removed("kubernetes/flux/second.yaml"),
		},
		deletes: []string{kustomizationNamed("flux-again")},
	},
	{
		name: "pair-a-second-time", words: "defines it a second time",
		fault: func(_ *testing.T, files tree) tree {
			return files.with("apps/widgets/pair.yaml", files[fluxManifests.pair])
		},
		steps: []edit{
			guarded("apps/widgets/pair.yaml"), removed("apps/widgets/pair.yaml"),
		},
	},
	{
		name: "second-child", layout: child, words: "Set deletionPolicy of the other to Orphan",
		fault: func(_ *testing.T, files tree) tree {
			return files.with("clusters/one/second.yaml", strings.Replace(files["clusters/one/flux.yaml"], "name: flux\n", "name: flux-again\n", 1))
		},
		steps: []edit{
			replaced("clusters/one/second.yaml", "prune: true", "prune: true\n  deletionPolicy: Orphan"), removed("clusters/one/second.yaml"),
		},
		deletes: []string{kustomizationNamed("flux-again")},
	},
	{
		name: "name-with-a-hash", layout: bootstrap, words: "set options.disableNameSuffixHash: true for it first",
		fault: replaced("clusters/one/flux-system/kustomization.yaml", "patches:\n", generatedSettings),
		steps: []edit{
			replaced("clusters/one/flux-system/kustomization.yaml", "  - LEVEL=info\n", "  - LEVEL=info\n  options: {disableNameSuffixHash: true}\n"),
		},
		prefix: "settings-",
	},
	{
		name: "name-prefix-of-the-install", layout: child, words: "renames everything that Flux installs",
		fault: with("flux/kustomization.yaml", "namePrefix: old-\nresources:\n- gotk-components.yaml\n"),
		steps: []edit{
			replaced("clusters/one/flux.yaml", "prune: true", "prune: false"), replaced("flux/kustomization.yaml", "namePrefix: old-\n", ""),
		},
		prefix: "old-",
	},
	{
		name: "name-prefix-of-the-artifact", layout: fluxManifests.renamed("old-"), words: "it deletes what the field gives another name otherwise",
		fault:  replaced(installFile, "  wait: true\n", "  wait: true\n  namePrefix: old-\n"),
		steps:  []edit{replaced(installFile, "prune: true", "prune: false"), replaced(installFile, "  namePrefix: old-\n", "")},
		prefix: "old-",
	},
	{
		name: "name-prefix-of-the-root", layout: child, words: "renames all that the root applies",
		fault: replaced(child.pair, "  wait: false\n", "  wait: false\n  namePrefix: old-\n"),
		steps: []edit{
			func(t *testing.T, files tree) tree {
				for _, name := range []string{child.pair, "clusters/one/flux.yaml", "clusters/one/apps.yaml"} {
					files = files.edited(t, name, "prune: true", "prune: false")
				}
				return files
			},
			replaced(child.pair, "  namePrefix: old-\n", ""),
		},
		changes: []string{child.rootKey()},
		prefix:  "old-",
	},
}

// generatedSettings is what a kustomization.yaml begins its patches with, so that a controller reads settings under a
// name with a hash.
const generatedSettings = `configMapGenerator:
- name: settings
  namespace: flux-system
  literals:
  - LEVEL=info
patches:
- patch: |
    - op: add
      path: /spec/template/spec/containers/0/envFrom
      value:
      - configMapRef:
          name: settings
  target:
    kind: Deployment
    name: source-controller
`

// installFile is the file of the install in the layout with the artifact.
const installFile = "kubernetes/flux/config/flux.yaml"

// extraObject is one more object that Flux applies.
const extraObject = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: extra\n  namespace: default\n"

// fluxKustomization is one more Flux Kustomization that prunes.
func fluxKustomization(name, folder string) string {
	return "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: " + name + "\n  namespace: flux-system\nspec:\n" +
		"  interval: 30m\n  path: " + folder + "\n  prune: true\n  sourceRef:\n    kind: GitRepository\n    name: lighthouse\n"
}

// secondRoot adds a root that applies what the first one applies, in the same way.
func secondRoot(_ *testing.T, files tree) tree {
	_, root, _ := strings.Cut(files[fluxManifests.pair], "---\n")
	return files.with("kubernetes/flux/second.yaml", strings.Replace(root, "name: cluster\n", "name: second\n", 1))
}

// with adds files.
func with(pairs ...string) edit {
	return func(_ *testing.T, files tree) tree {
		for i := 0; i < len(pairs); i += 2 {
			files = files.with(pairs[i], pairs[i+1])
		}
		return files
	}
}

// replaced edits a file.
func replaced(name, old, replacement string) edit {
	return func(t *testing.T, files tree) tree { return files.edited(t, name, old, replacement) }
}

// removed removes files.
func removed(names ...string) edit {
	return func(t *testing.T, files tree) tree { return files.without(t, names...) }
}

// guarded annotates all objects of a file, so that Flux does not prune them.
func guarded(name string) edit {
	return replaced(name, "  namespace: flux-system\n", "  namespace: flux-system\n  annotations:\n    kustomize.toolkit.fluxcd.io/prune: disabled\n")
}

// scenario is a remedy on a cluster of its own.
func (m remedy) scenario() scenario {
	l := m.layout
	if l.name == "" {
		l = fluxManifests
	}
	l.edit = m.fault
	return scenario{"remedy-" + m.name, []layout{l}, m.play}
}

// remedyScenarios are the remedies as scenarios.
func remedyScenarios() []scenario {
	var all []scenario
	for _, one := range remedies {
		all = append(all, one.scenario())
	}
	return all
}

// play follows the message, and then migrates.
func (m remedy) play(t *testing.T, r *replay) {
	r.says(t, m.words)
	m.deletes = append(m.deletes, r.named(m.prefix)...)
	r.expects(m.deletes...)
	for _, step := range m.steps {
		r.pushTree(t, "as it says", step(t, r.files(t)))
		r.settle(t)
	}
	for _, name := range m.changes {
		delete(r.before, name)
	}
	r.deleteByHand(t, r.named(m.prefix))
	r.kept(t, m.deletes...)
	if said := r.advise(t); said.says(m.words) {
		t.Fatalf("it still says so: %v", said)
	}
	r.before = r.snapshot(t)
	r.adopt(t)
}

// named are the objects whose names began with a prefix before; none where that is empty.
func (r *replay) named(prefix string) []string {
	var all []string
	for key := range r.before {
		if prefix != "" && strings.HasPrefix(path.Base(key), prefix) {
			all = append(all, key)
		}
	}
	return all
}

// deleteByHand deletes those of the objects that are still there.
func (r *replay) deleteByHand(t *testing.T, names []string) {
	t.Helper()
	now := r.snapshot(t)
	for _, name := range names {
		if one := now[name]; one != nil && one.GetDeletionTimestamp() == nil {
			kind := one.GroupVersionKind()
			r.shell(t, strings.TrimSuffix("kubectl -n flux-system delete "+kind.Kind+"."+kind.Group, ".")+"/"+one.GetName())
		}
	}
}

// says fails unless a plan says something, and returns the message.
func (r *replay) says(t *testing.T, words string, args ...string) string {
	t.Helper()
	said, _ := r.said(t, args...) // an Error is what some of the messages are
	for _, one := range said {
		if strings.Contains(one.Message, words) {
			return one.Message
		}
	}
	t.Fatalf("plan %v does not say %q:\n%v", args, words, said)
	return ""
}

// finds fails unless a plan has a finding of this code, and returns its message.
func (r *replay) finds(t *testing.T, code string, args ...string) string {
	t.Helper()
	said, _ := r.said(t, args...)
	for _, one := range said {
		if one.Code == code {
			return one.Message
		}
	}
	t.Fatalf("plan %v does not find %s:\n%v", args, code, said)
	return ""
}

// inBrackets is the command within a message.
var inBrackets = regexp.MustCompile(`\((kubectl [^()]*)\)`)

// commandIn runs the command within a message.
func (r *replay) commandIn(t *testing.T, message, words string) {
	t.Helper()
	_, rest, _ := strings.Cut(message, words)
	command := inBrackets.FindStringSubmatch(rest)
	if command == nil {
		t.Fatalf("no command after %q:\n%s", words, message)
	}
	r.shell(t, command[1])
}

// inForm is the folder of the FluxInstance, and what applies it, in another form.
func (r *replay) inForm(t *testing.T, form string) tree {
	t.Helper()
	scratch := newCheckout(t, r.product, t.TempDir(), r.original)
	scratch.migrate(t, "--phase", "deploy", "--instance-form", form)
	files := r.files(t).without(t, r.folder+"/flux-operator/instance")
	for name, content := range scratch.files(t) {
		if strings.HasPrefix(name, r.folder+"/flux-operator/") {
			files[name] = content
		}
	}
	return files
}

// emptied is the repository without the FluxInstance: the folder stays, with another object in it.
func (r *replay) emptied(t *testing.T) tree {
	t.Helper()
	folder := r.folder + "/flux-operator/instance"
	return r.files(t).without(t, folder).with(folder+"/extra.yaml", extraObject)
}

// switchToHelm hands the FluxInstance over to Helm, as a plan for the other form tells.
func switchToHelm(t *testing.T, r *replay) {
	r.deploy(t)
	r.takenOver(t)
	message := r.says(t, "let Helm take it over", "--instance-form", "HelmRelease")
	r.pushTree(t, "remove the FluxInstance", r.emptied(t))
	r.settle(t)
	r.commandIn(t, message, "let Helm take it over")
	r.pushTree(t, "add the HelmRelease", r.inForm(t, "HelmRelease"))
	r.settle(t)
	r.takenOver(t)
	r.kept(t)
	r.skipped(t)
}

// switchToInstance takes the FluxInstance from Helm, as a plan for the other form tells.
func switchToInstance(t *testing.T, r *replay) {
	r.deploy(t, "--instance-form", "HelmRelease")
	r.takenOver(t)
	message := r.says(t, "because Helm looks at its release and not at the cluster", "--instance-form", "FluxInstance")
	r.pushTree(t, "remove the HelmRelease", r.impatient(t, r.emptied(t)))
	r.settle(t)
	r.expects("HelmRelease.helm.toolkit.fluxcd.io/flux-system/" + instanceName)
	r.commandIn(t, message, "then remove the HelmRelease from Git and delete it")
	r.pushTree(t, "add the FluxInstance", r.impatient(t, r.inForm(t, "FluxInstance")))
	r.settle(t)
	r.takenOver(t)
	r.kept(t)
	r.skipped(t)
}

// restoreSync loses spec.sync of the FluxInstance, so that Flux Operator deletes the source, and restores it as cleanup
// tells: nothing fetches from Git then.
func restoreSync(t *testing.T, r *replay) {
	r.deploy(t)
	r.takenOver(t)
	whole := r.files(t)
	instance := whole.readObjects(t, r.instanceFile())[0]
	unstructured.RemoveNestedField(instance.Object, "spec", "sync")
	written, err := objects.Write([]*objects.Object{instance})
	if err != nil {
		t.Fatal(err)
	}
	r.expects(r.sourceKey())
	r.pushTree(t, "lose spec.sync", whole.with(r.instanceFile(), string(written)))
	r.shell(t, "kubectl -n flux-system wait --for=delete --timeout=2m gitrepository/"+r.source)
	message := r.finds(t, "sync-removed", "--phase", "cleanup", "--taken-over")
	r.replace(t, whole)
	r.commit(t, "restore spec.sync")
	command, _, _ := strings.Cut(afterWords(t, message, "apply the file by hand as well: "), "\n")
	r.shell(t, command)
	r.ran("restore")
	eventually(t, time.Minute, "the source is back", func() error {
		if r.get(t.Context(), gitRepositories, fluxNamespace, r.source) == nil {
			return missing{r.source}
		}
		return nil
	})
	r.takenOver(t)
	r.settle(t)
	r.kept(t, r.sourceKey()) // made anew
	r.oneRoot(t)
}

// afterWords is the text behind some words.
func afterWords(t *testing.T, text, words string) string {
	t.Helper()
	_, rest, found := strings.Cut(text, words)
	if !found {
		t.Fatalf("no %q in\n%s", words, text)
	}
	return rest
}
