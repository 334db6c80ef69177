package command

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/migrate"
	"migrate-to-flux-operator/fn/object"
)

// TestExitCodes holds what a command line that cannot work says.
func TestExitCodes(t *testing.T) {
	dir, empty := fixture(t, "deploy"), t.TempDir()
	write(t, empty, "file", "")
	write(t, empty, "wrong.yaml", "apiVersion: fn.kpt.dev/v1alpha1\nkind: MigrateToFluxOperator\nfase: deploy\n")
	write(t, empty, "live.yaml", "NAME READY\nflux True\n")
	cases := []struct {
		args []string
		code int
		want string
	}{
		{[]string{"plan", filepath.Join(empty, "missing")}, 2, "missing: there is no such directory"},
		{[]string{"check", filepath.Join(empty, "file")}, 2, "file: not a directory"},
		{[]string{"plan", empty}, 2, "no classic Flux install found"},
		{[]string{"plan", "DIR", "DIR"}, 2, "accepts at most 1 arg"},
		{[]string{"plan", "DIR", "--pase", "deploy"}, 2, "unknown flag: --pase; did you mean --phase?"},
		{[]string{"aply", "DIR"}, 2, `unknown command "aply"; did you mean apply?`},
		{[]string{"plan", "DIR", "--nonsense"}, 2, "unknown flag: --nonsense"},
		{[]string{"nonsense"}, 2, "unknown command"},
		{[]string{"cleanup"}, 2, `unknown command "cleanup"; did you mean apply --phase cleanup?`},
		{[]string{"plan", "DIR", "--phase", "nonsense"}, 2, `config field phase is "nonsense"`},
		{[]string{"plan", "DIR", "--output", "nonsense"}, 2, "--output nonsense: use text, json or yaml"},
		{[]string{"plan", "DIR", "--config", filepath.Join(empty, "missing")}, 2, "missing: no such file"},
		{[]string{"plan", "DIR", "--config", filepath.Join(empty, "wrong.yaml")}, 2, `wrong.yaml: unknown config field "fase"`},
		{[]string{"plan", "DIR", "--live", filepath.Join(empty, "live.yaml")}, 2, "add --phase cleanup"},
		{[]string{"plan", "DIR", "--phase", "cleanup", "--live", filepath.Join(empty, "live.yaml")}, 2, "live.yaml: not a YAML mapping"},
		{[]string{"plan", "DIR", "--cluster", "./nowhere"}, 2, "no classic install syncs ./nowhere"},
		{[]string{"apply", "DIR", "--phase", "cleanup", "--taken-over"}, 2, "cleanup is too early"},
	}
	for _, c := range cases {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			before := filesOf(t, dir)
			got := must(t, c.code, dir, slices.Clone(c.args)...)
			if !strings.Contains(got.errOut, c.want) || strings.Contains(got.errOut, "goroutine") {
				t.Errorf("stderr is %q, want %q in it", got.errOut, c.want)
			}
			if !maps.Equal(before, filesOf(t, dir)) {
				t.Error("files were changed")
			}
		})
	}
}

// TestCommands takes one checkout through the four commands.
func TestCommands(t *testing.T) {
	dir, other := fixture(t, "deploy"), fixture(t, "deploy")
	commit(t, dir)
	commit(t, other)
	diff := must(t, 0, dir, "diff", "DIR").out
	if dry := must(t, 0, dir, "apply", "DIR", "--dry-run").out; dry != diff {
		t.Errorf("--dry-run is not diff:\n%s", dry)
	}
	if checked := must(t, ExitChanges, dir, "check", "DIR"); checked.out != diff || checked.errOut != "" {
		t.Errorf("check is not diff:\n%s%s", checked.out, checked.errOut)
	}
	planned := plannedFiles(t, dir)
	if names := changedFiles(t, dir); len(names) > 0 {
		t.Errorf("files were changed: %q", names)
	}
	must(t, 0, dir, "apply", "DIR")
	if names := changedFiles(t, dir); !slices.Equal(names, planned) {
		t.Errorf("changed %q, planned %q", names, planned)
	}
	gitWith(t, other, diff, "apply", "--whitespace=nowarn")
	if !maps.Equal(filesOf(t, dir), filesOf(t, other)) {
		t.Error("git apply of the diff is not apply")
	}
	if again := must(t, 0, dir, "check", "DIR"); again.out != "" {
		t.Errorf("a second run changes:\n%s", again.out)
	}
	if again := must(t, 0, dir, "apply", "DIR"); !strings.Contains(again.out, "nothing to do") {
		t.Errorf("the second apply says:\n%s", again.out)
	}
}

// plannedFiles are the files that plan names, sorted as git status does: changed ones before new ones.
func plannedFiles(t testing.TB, dir string, flags ...string) []string {
	t.Helper()
	var old, created []string
	for _, f := range planOf(t, dir, flags...).Files {
		if f.Action == "created" {
			created = append(created, f.Path)
		} else {
			old = append(old, f.Path)
		}
	}
	return append(old, created...)
}

// TestPlan holds the plan for people and for machines.
func TestPlan(t *testing.T) {
	dir := fixture(t, "deploy")
	text := must(t, 0, dir, "plan", "DIR").out
	for _, want := range []string{
		"./cluster: flux-manifests, Flux 2.6.4 -> Flux Operator, Flux 2.6.x nothing is pruned: ",
		"+ applied by Kustomization flux-operator, flux-instance (cluster/flux-operator/ks.yaml)",
		"~ guard + deletionPolicy: Orphan on Kustomization/flux (cluster/flux.yaml:12)",
		"Needs Secret/flux-system/flux-system: not in Git (cluster/sync.yaml:9)",
		"Deploy: 7 files created, 2 edited, 0 deleted; 0 objects pruned;",
	} {
		if !strings.Contains(flat(text), want) {
			t.Errorf("the plan does not say %q:\n%s", want, text)
		}
	}
	all := must(t, 0, dir, "plan", "DIR", "--verbose").out
	for _, want := range []string{"root Kustomization/flux-system/flux-system (cluster/sync.yaml:14)", "created cluster/flux-operator/ks.yaml",
		"Note the pods of the controllers are replaced once"} {
		if !strings.Contains(flat(all), want) {
			t.Errorf("the whole plan does not say %q:\n%s", want, all)
		}
	}
	for line := range strings.Lines(text) {
		if len(line) > 101 && !strings.HasPrefix(line, "  kubectl ") {
			t.Errorf("a line has %d bytes: %s", len(line)-1, line)
		}
	}
	for _, never := range []string{": deployed", "\x1b[", "null"} {
		if strings.Contains(text, never) {
			t.Errorf("the plan says %q:\n%s", never, text)
		}
	}
	first := must(t, 0, dir, "plan", "DIR", "--output", "json").out
	if second := must(t, 0, dir, "plan", "DIR", "--output", "json").out; first != second || strings.Contains(first, "null") {
		t.Error("the JSON is not stable, or has null in it")
	}
	asYAML, err := yaml.YAMLToJSON([]byte(must(t, 0, dir, "plan", "DIR", "--output", "yaml").out))
	if err != nil {
		t.Fatal(err)
	}
	var fromYAML, fromJSON any
	if json.Unmarshal(asYAML, &fromYAML) != nil || json.Unmarshal([]byte(first), &fromJSON) != nil {
		t.Fatal("the plan is no JSON")
	}
	a, _ := json.Marshal(fromYAML)
	b, _ := json.Marshal(fromJSON)
	if !bytes.Equal(a, b) {
		t.Error("the YAML says something else than the JSON")
	}
}

// TestPlanAfterDeploy holds that, as long as the classic install is there, plan says where the migration stands, and shows
// how to wait, to check and to go back: after deploy, when there is nothing to change, and in the report as well.
func TestPlanAfterDeploy(t *testing.T) {
	dir := fixture(t, "deploy")
	must(t, 0, dir, "apply", "DIR", "--operator-kustomization", "the-operator", "--operator-release", "the-release",
		"--instance-kustomization", "the-instance")
	text := flat(must(t, 0, dir, "plan", "DIR").out)
	for _, want := range []string{
		"Flux 2.6.x: deployed; wait until it has taken over, then cleanup no file changes",
		"Next wait until the cluster has taken over, and only then: migrate-to-flux-operator plan " + dir +
			" --phase cleanup --live /tmp/live.yaml Wait once the commit of deploy is pushed",
		"wait kustomization/the-operator kustomization/the-instance --for=condition=Ready",
		"Check see what the cluster says, and whether cleanup is safe",
		"Go back revert the commit of deploy, push that, and wait until its Flux Kustomizations are gone",
		"Deployed: no file changes; 0 warnings.",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the plan does not say %q:\n%s", want, text)
		}
	}
	all := flat(must(t, 0, dir, "plan", "DIR", "--verbose").out)
	if want := "delete --ignore-not-found helmreleases.helm.toolkit.fluxcd.io/the-release ocirepositories.source.toolkit.fluxcd.io/the-release"; !strings.Contains(all, want) {
		t.Errorf("the whole plan does not say %q:\n%s", want, all)
	}
	if report := must(t, 0, dir, "plan", "DIR", "--report", "-").out; !strings.Contains(report, "> Deployed: no file changes. Wait until") || !strings.Contains(report, "## Go back") {
		t.Errorf("the report says\n%s", report)
	}
	must(t, 0, dir, "apply", "DIR", "--phase", "cleanup", "--taken-over")
	if done := must(t, 0, dir, "plan", "DIR").out; strings.Contains(done, "Wait") || !strings.Contains(done, "Nothing to do: no file changes") {
		t.Errorf("after cleanup plan says\n%s", done)
	}
}

// TestErrorsHaveLines holds that an Error on stderr names file and line.
func TestErrorsHaveLines(t *testing.T) {
	dir := fixture(t, "deploy")
	write(t, dir, "cluster/sync.yaml", "# A comment.\n---\n# Another one.\n"+read(t, dir, "cluster/sync.yaml")+"  interval: {\n")
	if got := must(t, 2, dir, "plan", "DIR"); !strings.Contains(flat(got.out), "warning: cluster/sync.yaml: line 29 is not YAML") {
		t.Errorf("a broken root is not warned about:\n%s", got.out)
	}
	dir = fixture(t, "deploy")
	write(t, dir, "cluster/flux.yaml", "# A comment.\n"+strings.Replace(read(t, dir, "cluster/flux.yaml"), "prune: true", "prune: true\n  components: [a]", 1))
	if got := must(t, 2, dir, "plan", "DIR"); !strings.HasPrefix(got.errOut, "[error] cluster/flux.yaml:18: Kustomization/flux-system/flux: spec: ") {
		t.Errorf("the Error has no line:\n%s", got.errOut)
	}
}

// outcomes are what plan says of each cluster, with the reason.
func outcomes(t testing.TB, dir string, flags ...string) map[string]string {
	t.Helper()
	var planned struct {
		Clusters []struct{ Path, Outcome, Reason string }
	}
	said := execAt(t, dir, append([]string{"plan", "DIR", "--output", "json"}, flags...)...)
	if err := json.Unmarshal([]byte(said.out), &planned); err != nil {
		t.Fatalf("%v: %s", err, said.out)
	}
	all := map[string]string{}
	for _, c := range planned.Clusters {
		all[c.Path] = c.Outcome + " " + c.Reason
	}
	return all
}

// TestOutcomes holds what becomes of a cluster where something else is refused: an Error about no cluster is about
// each, one about another cluster is not.
func TestOutcomes(t *testing.T) {
	dir := fixture(t, "deploy")
	write(t, dir, "cluster/more/kustomization.yaml", "resources: [\n")
	if got := outcomes(t, dir)["cluster"]; !strings.HasPrefix(got, "refused ") || !strings.Contains(got, "cluster/more/kustomization.yaml") {
		t.Errorf("a kustomization.yaml that is not YAML: %q", got)
	}
	for path, outcome := range outcomes(t, fixture(t, "two-clusters"), "--sync-path", "apps") {
		if !strings.HasPrefix(outcome, "refused ") || !strings.Contains(outcome, "sync.path is one path") {
			t.Errorf("%s with the new path of two clusters: %q", path, outcome)
		}
	}
	dir = fixture(t, "two-clusters")
	write(t, dir, "clusters/staging/flux.yaml", strings.Replace(read(t, dir, "clusters/staging/flux.yaml"), "tag: v2.7.5", "tag: v2.1.2", 1))
	got := outcomes(t, dir)
	if refused := slices.Sorted(maps.Values(got)); len(refused) != 2 || refused[0] != "deployed " || !strings.HasPrefix(refused[1], "refused ") {
		t.Errorf("one cluster of two: %q", got)
	}
}

func read(t testing.TB, dir, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// TestNotYAML holds that what is broken stops the migration only where it could matter.
func TestNotYAML(t *testing.T) {
	cases := []struct {
		name, file, text string
		code             int
		want             string
	}{
		{"a chart's template", "charts/a/templates/a.yaml", "apiVersion: v1\nkind: {{ .Kind }}\n  x: y\n", 0, "Not read"},
		{"a Flux object", "cluster/other.yaml", "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {\n", 0, "warning: cluster/other.yaml"},
		{"a kustomization.yaml that decides", "cluster/kustomization.yaml", "resources: [\n", 2, "cluster/kustomization.yaml:"},
		{"a kustomization.yaml elsewhere", "apps/kustomization.yaml", "resources: [\n", 0, "Not read"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := fixture(t, "deploy")
			write(t, dir, c.file, c.text)
			if got := must(t, c.code, dir, "plan", "DIR", "--proof", "off", "--verbose"); !strings.Contains(got.out+got.errOut, c.want) {
				t.Errorf("%q is not said:\n%s%s", c.want, got.out, got.errOut)
			}
		})
	}
}

// countdown is a context that is cancelled when it was asked so many times.
type countdown struct {
	context.Context
	left atomic.Int64
}

func (c *countdown) Err() error {
	if c.left.Add(-1) < 0 {
		return context.Canceled
	}
	return c.Context.Err()
}

// TestInterrupted cancels apply at points all along its way, and holds that the checkout is then as it was.
func TestInterrupted(t *testing.T) {
	dir := fixture(t, "deploy")
	before := filesOf(t, dir)
	for n := int64(0); ; n += 5 {
		ctx := &countdown{Context: t.Context()}
		ctx.left.Store(n)
		got := execIn(t, ctx, dir, "apply", "DIR", "--proof", "off")
		if got.code == 0 {
			if n < 20 {
				t.Errorf("apply looked only %d times", n)
			}
			break
		}
		if got.code != ExitError || !strings.Contains(got.errOut, "interrupted: nothing was changed") {
			t.Fatalf("after %d looks: exit code %d, %s", n, got.code, got.errOut)
		}
		if after := filesOf(t, dir); !maps.Equal(before, after) {
			t.Fatalf("after %d looks the checkout is changed: %q", n, slices.Sorted(maps.Keys(after)))
		}
	}
	if maps.Equal(before, filesOf(t, dir)) {
		t.Error("apply changed nothing")
	}
}

// TestClosedOutput holds the exit codes where nobody reads what is said.
func TestClosedOutput(t *testing.T) {
	for command, code := range map[string]int{"plan": 0, "diff": 0, "check": ExitChanges, "apply": 0} {
		t.Run(command, func(t *testing.T) {
			reader, writer, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer writer.Close()
			if err := reader.Close(); err != nil {
				t.Fatal(err)
			}
			var errOut bytes.Buffer
			if got := Execute(t.Context(), []string{command, fixture(t, "deploy")}, strings.NewReader(""), writer, &errOut); got != code || errOut.Len() > 0 {
				t.Errorf("exit code %d, want %d: %s", got, code, errOut.String())
			}
		})
	}
}

// TestModes holds that an edited file keeps its mode and that the diff of a deleted one names it.
func TestModes(t *testing.T) {
	dir := fixture(t, "deploy")
	for _, name := range []string{"cluster/flux.yaml", "cluster/sync.yaml"} {
		if err := os.Chmod(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	must(t, 0, dir, "apply", "DIR")
	if info, err := os.Stat(filepath.Join(dir, "cluster/flux.yaml")); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("the mode of an edited file is %v: %v", info.Mode(), err)
	}
	diff := must(t, 0, dir, "diff", "DIR", "--phase", "cleanup", "--taken-over").out
	if count := strings.Count(diff, "deleted file mode 100755\n"); count != 2 {
		t.Errorf("%d files with mode 100755 are deleted, want 2:\n%s", count, diff)
	}
}

// TestHelp holds that every command explains itself with an example, that every config field has its flag, and that the
// shells get their completion.
func TestHelp(t *testing.T) {
	for _, name := range []string{"plan", "diff", "apply", "check", "inventory", "verify", "explain"} {
		help := must(t, 0, "", name, "--help").out
		for _, want := range []string{"Examples:\n", "migrate-to-flux-operator " + name, "Exit"} {
			if !strings.Contains(strings.ReplaceAll(help, "exit code", "Exit"), want) {
				t.Errorf("the help of %s has no %q", name, want)
			}
		}
		for _, flag := range flagNames {
			if migrates := !slices.Contains([]string{"inventory", "verify", "explain"}, name); migrates && !strings.Contains(help, "--"+flag.flag+" ") && !strings.Contains(help, "--"+flag.flag+"[=") && !strings.Contains(help, "--"+flag.flag+" string[=") {
				t.Errorf("the help of %s has no --%s", name, flag.flag)
			}
		}
	}
	if help := must(t, 0, "", "--help").out; !strings.Contains(help, "in two commits") || !strings.Contains(help, "--phase cleanup --live") {
		t.Errorf("the help does not tell of the two commits:\n%s", help)
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if script := must(t, 0, "", "completion", shell).out; !strings.Contains(script, "migrate-to-flux-operator") {
			t.Errorf("no completion for %s", shell)
		}
	}
}

// TestAnnotationsWithoutAny holds that the guard gets onto an object whose annotations are there and empty.
func TestAnnotationsWithoutAny(t *testing.T) {
	for _, empty := range []string{"annotations:", "annotations: null", "annotations: {}"} {
		dir := fixture(t, "deploy")
		write(t, dir, "cluster/sync.yaml", strings.ReplaceAll(read(t, dir, "cluster/sync.yaml"), "  namespace: flux-system\n", "  namespace: flux-system\n  "+empty+"\n"))
		must(t, 0, dir, "apply", "DIR")
		if count := strings.Count(read(t, dir, "cluster/sync.yaml"), "kustomize.toolkit.fluxcd.io/prune: disabled"); count != 2 {
			t.Errorf("%q: %d guards, want 2:\n%s", empty, count, read(t, dir, "cluster/sync.yaml"))
		}
	}
}

// TestDiffThatCommands holds that no diff is printed whose changed lines a CI runner would obey, and that apply goes
// on.
func TestDiffThatCommands(t *testing.T) {
	dir := fixture(t, "deploy")
	write(t, dir, "cluster/kustomization.yaml", "resources: [flux.yaml, sync.yaml, apps.yaml] # ##[add-mask]x\n")
	for _, name := range []string{"diff", "check"} {
		if got := must(t, ExitError, dir, name, "DIR"); got.out != "" || !strings.HasPrefix(got.errOut, "cluster/kustomization.yaml: no diff is printed, because a CI runner") {
			t.Errorf("%s prints %q and %q", name, got.out, got.errOut)
		}
	}
	must(t, 0, dir, "apply", "DIR")
}

// TestInventoryForgesNoLine holds that a line break in a name, a path or a file's name starts no line of what inventory
// prints.
func TestInventoryForgesNoLine(t *testing.T) {
	dir := fixture(t, "deploy")
	write(t, dir, "cluster/a\nforged.yaml", "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: \"x\\nforged\", namespace: flux-system}\n"+
		"spec: {path: \"./y\\nforged\", prune: true, deletionPolicy: \"x\\nforged\", sourceRef: {kind: \"x\\nforged\", name: \"x\\nforged\"}}\n")
	runGit(t, dir, "init", "--quiet")
	runGit(t, dir, "add", "--all")
	runGit(t, dir, "commit", "--quiet", "--message", "x")
	for _, args := range [][]string{{"inventory", "DIR"}, {"inventory", "DIR", "--output", "text"}, {"inventory", "DIR", "--against", "HEAD"}, {"plan", "DIR"}, {"plan", "DIR", "--report", "-"}} {
		if got := must(t, 0, dir, args...); strings.Contains(got.out, "\nforged") || !strings.Contains(got.out, "forged") {
			t.Errorf("%q prints\n%s", args, got.out)
		}
	}
}

// TestClusterInAnyFolder holds that the name by which messages tell to choose a cluster names it, whatever its folder
// is called.
func TestClusterInAnyFolder(t *testing.T) {
	for _, name := range []string{"a,b", "a b", "$(x)", "-x"} {
		dir := fixture(t, "deploy")
		if err := os.Rename(filepath.Join(dir, "cluster"), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		sync, err := os.ReadFile(filepath.Join(dir, name, "sync.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		write(t, dir, filepath.Join(name, "sync.yaml"), strings.Replace(string(sync), "path: ./cluster", `path: "./`+name+`"`, 1))
		root := object.ID{Kind: "Kustomization", Namespace: "flux-system", Name: "flux-system"}
		must(t, 0, dir, "plan", "DIR", "--cluster", migrate.Named(name, root))
	}
}
