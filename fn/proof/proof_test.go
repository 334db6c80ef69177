package proof

import (
	"fmt"
	"io/fs"
	"maps"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/Masterminds/semver/v3"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/migrate"
	"migrate-to-flux-operator/fn/object"
)

// files are the content of files by their path; of a state after another one, what differs: an empty one is gone.
type files map[string]string

// with are the files after changes.
func (f files) with(changes files) files {
	all := maps.Clone(f)
	maps.Copy(all, changes)
	maps.DeleteFunc(all, func(_, content string) bool { return content == "" })
	return all
}

// tree is the file system that they are.
func (f files) tree() fs.FS {
	tree := fstest.MapFS{}
	for name, content := range f {
		tree[name] = &fstest.MapFile{Data: []byte(content)}
	}
	return tree
}

// flux is a Flux Kustomization in the namespace flux-system.
func flux(name, path string) string {
	return `
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: ` + name + `, namespace: flux-system}
spec: {interval: 1h, path: ` + path + `, prune: true, sourceRef: {kind: GitRepository, name: flux-system}}
`
}

// configMap is an object that is applied, with annotations.
func configMap(name, annotations string) string {
	return `
apiVersion: v1
kind: ConfigMap
metadata: {name: ` + name + `, namespace: default, annotations: {` + annotations + `}}
`
}

// resources is a kustomization.yaml that lists these.
func resources(entries ...string) string { return "resources: [" + strings.Join(entries, ", ") + "]\n" }

const source = `
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: flux-system, namespace: flux-system}
spec: {interval: 1m, url: https://example.com/fleet}
`

// repository is one cluster, whose root applies itself and apps, and a folder that nothing applies.
var repository = files{
	"cluster/source.yaml": source,
	"cluster/root.yaml":   flux("flux-system", "./cluster"),
	"cluster/apps.yaml":   flux("apps", "./apps"),
	"apps/a.yaml":         configMap("a", ""),
	"apps/b.yaml":         configMap("b", "kustomize.toolkit.fluxcd.io/prune: disabled"),
	"spare/c.yaml":        configMap("c", ""),
}

// install is the install of the cluster that is synced from the folder cluster.
func install(t *testing.T, repository files) *classic.Install {
	t.Helper()
	read := func(file string) *object.Object {
		o, err := object.Parse(repository[file], file, 0)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	source, root := read("cluster/source.yaml"), read("cluster/root.yaml")
	return &classic.Install{
		Anchor:  root,
		Version: classic.Version{Release: semver.MustParse("2.6.4")},
		Pair:    classic.Pair{Source: source, LiveSource: source, Root: root, LiveRoot: root, Path: "cluster"},
	}
}

// TestProve holds what is said of a commit, from what it does to the files.
func TestProve(t *testing.T) {
	const loses = "would make Flux delete or lose something: "
	for _, c := range []struct {
		name    string
		before  files  // what differs from the repository above
		commit  files  // what differs after it
		path    string // where the root moves to
		prefix  string // where the input lies in its repository
		want    string // what is found beside the summary; no Error where this is none
		summary string // how it begins
	}{
		{name: "nothing", summary: "nothing is pruned: 5 of 5 objects kept"},
		{
			name: "a new object", commit: files{"apps/new.yaml": configMap("new", "")},
			summary: "nothing is pruned: 5 of 5 objects kept, 1 new",
		},
		{
			name: "an object is deleted", commit: files{"apps/a.yaml": ""},
			want:    "error apps/a.yaml: this commit " + loses + "lost ConfigMap/default/a",
			summary: "4 of 5 objects kept, 1 lost",
		},
		{
			name: "a guarded object is deleted", commit: files{"apps/b.yaml": ""},
			summary: "nothing is pruned: 5 of 5 objects kept, 1 left on the cluster",
		},
		{
			name: "a Flux Kustomization is deleted", commit: files{"cluster/apps.yaml": ""},
			want:    "error apps/a.yaml: this commit " + loses + "lost ConfigMap/default/a",
			summary: "3 of 5 objects kept, 2 lost, 1 left",
		},
		{
			name:    "an object moves to another Flux Kustomization",
			before:  files{"cluster/more.yaml": flux("more", "./more"), "more/d.yaml": configMap("d", "")},
			commit:  files{"apps/a.yaml": "", "more/a.yaml": configMap("a", "")},
			want:    "error apps/a.yaml: this commit " + loses + "moved ConfigMap/default/a",
			summary: "6 of 7 objects kept, 1 applied by another",
		},
		{
			name:    "an object that nothing applied",
			commit:  files{"apps/kustomization.yaml": resources("a.yaml", "b.yaml", "../spare/c.yaml")},
			want:    "error spare/c.yaml: this commit would make Flux apply what it does not apply today: ConfigMap/default/c",
			summary: "nothing is pruned: 5 of 5",
		},
		{
			name:    "a file that is listed is gone",
			before:  files{"apps/kustomization.yaml": resources("a.yaml", "b.yaml")},
			commit:  files{"apps/b.yaml": ""},
			want:    "error apps/kustomization.yaml: this commit would break what Flux applies: flux-system/apps",
			summary: "5 of 5 objects kept, 1 stuck",
		},
		{
			name:   "the root is broken before",
			before: files{"cluster/kustomization.yaml": resources("root.yaml", "root.yaml")},
			want:   "error cluster/root.yaml: Flux cannot build what the root applies",
		},
		{
			name:    "another source",
			before:  files{"cluster/apps.yaml": strings.Replace(flux("apps", "./apps"), "name: flux-system}}", "name: x}}", 1)},
			want:    "warning : flux-system/apps: not judged: other source: reads GitRepository/flux-system/x",
			summary: "nothing is pruned: 3 of 3",
		},
		{
			name:    "an object of another cluster changes",
			before:  files{"other/root.yaml": source + "---" + flux("flux-system", "other"), "other/e.yaml": configMap("e", "")},
			commit:  files{"other/e.yaml": configMap("e", "changed: by-mistake")},
			want:    "error other/e.yaml: this commit, on the cluster ./other, would change what Flux applies there",
			summary: "nothing is pruned: 5 of 5",
		},
		{
			name:    "the root moves",
			before:  files{"cluster/kustomization.yaml": resources("source.yaml", "root.yaml", "apps.yaml")},
			path:    "./cluster/new",
			commit:  files{"cluster/new/kustomization.yaml": resources("../source.yaml", "../root.yaml", "../apps.yaml")},
			want:    "info cluster/root.yaml: from its new path the root and what is below it apply the same 5 objects",
			summary: "nothing is pruned: 5 of 5",
		},
		{
			name:    "the root moves and leaves something",
			before:  files{"cluster/kustomization.yaml": resources("source.yaml", "root.yaml", "apps.yaml")},
			path:    "./cluster/new",
			commit:  files{"cluster/new/kustomization.yaml": resources("../source.yaml", "../root.yaml")},
			want:    "error apps/a.yaml: the root on its new path " + loses + "lost ConfigMap/default/a",
			summary: "nothing is pruned: 5 of 5",
		},
		{name: "a part of a repository", prefix: "fleet", want: "warning : left out: the items are not a whole repository"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := repository.with(c.before)
			i := install(t, before)
			i.Pair.Prefix = c.prefix
			cfg := config.Config{Phase: config.Deploy}
			cfg.Sync.Path = c.path
			after := before.with(c.commit)
			proof := Prove(migrate.Outcome{Installs: []*classic.Install{i}}, before.tree(), after.tree(), cfg, func(int, int) {})
			got := said(proof.Findings)
			summary := "\ninfo cluster/root.yaml: " + c.summary
			if !strings.Contains(got, c.want) || c.summary != "" && !strings.Contains(got, summary) {
				t.Errorf("want %q and %q, have%s", c.want, c.summary, got)
			}
			if strings.Contains(got, "\nerror ") != strings.HasPrefix(c.want, "error ") {
				t.Errorf("an Error is missing, or nobody wants it:%s", got)
			}
		})
	}
}

// said is a line for each finding: its severity, file and message.
func said(findings []finding.Finding) string {
	var all strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&all, "\n%s %s: %s", f.Severity, f.File, f.Message)
	}
	return all.String()
}
