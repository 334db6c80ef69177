package command

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/live"
	"migrate-to-flux-operator/fn/printable"
)

// verifyData holds a repository before deploy, after it and after cleanup, and snapshots that the replay on a real API
// server took.
var verifyData = filepath.Join("testdata", "verify")

// verifyCase is a snapshot, as it is or with an edit, and the repository that it is held against.
type verifyCase struct {
	name, repository, snapshot, old, new string
	// edit is a larger edit.
	edit func(string) string
	// inGit is the value in the file of the FluxInstance that is another one.
	inGit string
	// age is how long ago the snapshot was taken.
	age   time.Duration
	phase string
	safe  bool
}

var verifyCases = []verifyCase{
	{name: "before", repository: "classic", snapshot: "before", phase: live.Classic, safe: true},
	{name: "before-pushed", repository: "deployed", snapshot: "before", phase: live.Classic},
	{name: "during", repository: "deployed", snapshot: "during", phase: live.Deploying},
	{name: "during-cleaned-too-early", repository: "cleaned", snapshot: "during", phase: live.Deploying},
	{name: "after", repository: "deployed", snapshot: "after", phase: live.TakenOver, safe: true},
	{name: "after-deploy-taken-back", repository: "classic", snapshot: "after", phase: live.TakenOver},
	{name: "after-cleaned-not-yet-applied", repository: "cleaned", snapshot: "after", phase: live.TakenOver},
	{name: "done", repository: "cleaned", snapshot: "done", phase: live.CleanedUp, safe: true},
	{name: "done-seen-from-an-old-clone", repository: "deployed", snapshot: "done", phase: live.CleanedUp},
	{name: "instance-kustomization-broken", repository: "deployed", snapshot: "after", phase: live.TakenOver, old: "reason: Progressing", new: "reason: BuildFailed"},
	{name: "other-path", repository: "deployed", snapshot: "after", phase: live.Unknown, old: "    path: ./kubernetes/flux\n    postBuild", new: "    path: ./clusters/other\n    postBuild"},
	{name: "controller-missing", repository: "deployed", snapshot: "after", phase: live.TakenOver,
		old: "    name: source-controller\n    namespace: flux-system\n    resourceVersion", new: "    name: other\n    namespace: flux-system\n    resourceVersion"},
	{name: "controller-missing-before", repository: "classic", snapshot: "before", phase: live.Classic,
		old: "    name: source-controller\n    namespace: flux-system\n    resourceVersion", new: "    name: other\n    namespace: flux-system\n    resourceVersion"},
	{name: "controller-not-ready", repository: "deployed", snapshot: "after", phase: live.TakenOver, old: "    readyReplicas: 1", new: "    readyReplicas: 0"},
	{name: "other-release", repository: "classic", snapshot: "before", phase: live.Classic, edit: releaseRuns("v2.8.3")},
	{name: "other-patch-release", repository: "classic", snapshot: "before", phase: live.Classic, safe: true, edit: releaseRuns("v2.9.3")},
	{name: "other-image", repository: "classic", snapshot: "before", phase: live.Classic, safe: true, old: "source-controller:v1.9.4", new: "source-controller:v1.9.4-mine"},
	{name: "other-arguments", repository: "classic", snapshot: "before", phase: live.Classic, safe: true, old: "--watch-all-namespaces=true", new: "--watch-all-namespaces=false"},
	{name: "other-url", repository: "deployed", snapshot: "after", phase: live.Unknown,
		old: "    url: https://git.example.com/harbour/lighthouse.git", new: "    url: https://me:hunter2@git.example.com/harbour/other.git"},
	{name: "stale-file", repository: "deployed", snapshot: "after", phase: live.TakenOver, age: 26 * time.Hour},
	{name: "file-cut-off", repository: "deployed", snapshot: "after", phase: live.TakenOver, old: "# listed secrets", new: "# secrets"},
	{name: "root-suspended", repository: "deployed", snapshot: "after", phase: live.TakenOver, old: "    path: ./kubernetes/flux\n    postBuild", new: "    path: ./kubernetes/flux\n    suspend: true\n    postBuild"},
	{name: "root-suspended-before", repository: "classic", snapshot: "before", phase: live.Classic, old: "    path: ./kubernetes/flux\n", new: "    path: ./kubernetes/flux\n    suspend: true\n"},
	{name: "instance-edited", repository: "deployed", snapshot: "after", phase: live.TakenOver, old: "      version: 2.9.x", new: "      version: 2.x"},
	{name: "patch-added-by-hand", repository: "deployed", snapshot: "after", phase: live.TakenOver,
		old: "    kustomize:\n      patches:\n", new: "    kustomize:\n      patches:\n      - patch: '[]'\n"},
	{name: "patch-of-the-root-not-there", repository: "deployed", snapshot: "after", phase: live.TakenOver, old: "      provider: sops\n", new: "      provider: other\n"},
	{name: "second-root", repository: "deployed", snapshot: "after", phase: live.TakenOver, old: "{apiVersion: v1, kind: Secret, metadata: {namespace: flux-system, name: sops-age}}",
		new: "{apiVersion: kustomize.toolkit.fluxcd.io/v1, kind: Kustomization, metadata: {namespace: flux-system, name: second}, spec: {path: kubernetes/flux/, " +
			"sourceRef: {kind: GitRepository, name: lighthouse}}}\n{apiVersion: v1, kind: Secret, metadata: {namespace: flux-system, name: sops-age}}"},
	{name: "guard-not-live", repository: "deployed", snapshot: "after", phase: live.TakenOver, old: `kustomize.toolkit.fluxcd.io/prune: "disabled"`,
		new: `kustomize.toolkit.fluxcd.io/prune: "enabled"`},
	{name: "owner-not-guarded", repository: "deployed", snapshot: "after", phase: live.TakenOver, old: "deletionPolicy: Orphan", new: "deletionPolicy: Delete"},
	{name: "by-hand", repository: "deployed", snapshot: "after", phase: live.TakenOver, safe: true, old: "{apiVersion: v1, kind: Secret, metadata: {namespace: flux-system, name: sops-age}}",
		new: "{apiVersion: kustomize.toolkit.fluxcd.io/v1, kind: Kustomization, metadata: {namespace: flux-system, name: mine}, spec: {path: ./mine, " +
			"sourceRef: {kind: GitRepository, name: lighthouse}}}\n{apiVersion: v1, kind: Secret, metadata: {namespace: flux-system, name: sops-age}}"},
	{name: "child-suspended", repository: "deployed", snapshot: "after", phase: live.TakenOver, safe: true, old: "    path: ./apps/shop\n", new: "    path: ./apps/shop\n    suspend: true\n"},
	{name: "child-of-another-path", repository: "deployed", snapshot: "after", phase: live.TakenOver, safe: true, old: "    path: ./apps/shop\n", new: "    path: ./apps/other\n"},
	{name: "switch-that-is-off-not-there", repository: "deployed", snapshot: "after", phase: live.TakenOver, safe: true, old: "    wait: false\n"},
	{name: "rename-lost", repository: "deployed", snapshot: "after", phase: live.TakenOver, inGit: "value: cluster\n"},
	{name: "secret-missing", repository: "classic", snapshot: "before", phase: live.Classic, old: "name: sops-age}", new: "name: sops-gage}"},
	{name: "control-characters", repository: "classic", snapshot: "before", phase: live.Classic, safe: true,
		old: "# context replay", new: "# context \x1b[31m::error::a##[group]b"},
	{name: "secret-with-values", repository: "classic", snapshot: "before", phase: live.Classic, safe: true,
		old: "{apiVersion: v1, kind: Secret, metadata: {namespace: flux-system, name: sops-age}}",
		new: "{apiVersion: v1, kind: Secret, metadata: {namespace: flux-system, name: sops-age}, data: {key: aHVudGVyMg==}, stringData: {key: hunter2}}"},
}

// releaseRuns lets the controllers be those of another release.
func releaseRuns(release string) func(string) string {
	return func(text string) string {
		text = strings.ReplaceAll(text, "app.kubernetes.io/version: v2.9.4", "app.kubernetes.io/version: "+release)
		for name, tag := range flux.Controllers("v2.9.4") {
			text = strings.ReplaceAll(text, name+":"+tag, name+":"+flux.Controllers(release)[name])
		}
		return text
	}
}

// reports are what verify says of a case.
func (c verifyCase) reports(t *testing.T) []live.Report {
	t.Helper()
	dir := filepath.Join(verifyData, c.repository)
	if c.inGit != "" {
		const file = "kubernetes/flux/flux-operator/instance/instance.yaml"
		text := read(t, dir, file)
		dir = t.TempDir()
		copyTree(t, filepath.Join(verifyData, c.repository), dir)
		write(t, dir, file, strings.Replace(text, c.inGit, "value: other\n", 1))
	}
	repo, err := open(t.Context(), dir, true)
	if err != nil {
		t.Fatal(err)
	}
	defer repo.tree.Close()
	wants, findings, err := repo.wants(config.Default())
	if err != nil {
		t.Fatal(err, findings)
	}
	text := read(t, verifyData, c.snapshot+".yaml")
	if !strings.Contains(text, c.old) {
		t.Fatalf("the snapshot has no %q", c.old)
	}
	switch {
	case c.edit != nil:
		text = c.edit(text)
	case c.old != "":
		text = strings.ReplaceAll(text, c.old, c.new)
	}
	snapshot, err := live.Read(text)
	if err != nil {
		t.Fatal(err)
	}
	snapshot.Name = "/tmp/live.yaml"
	reports, _ := reportsOf([]live.Snapshot{snapshot}, wants, snapshot.Taken.Add(time.Minute+c.age))
	return reports
}

// TestVerify holds snapshots against a repository: the phase, the answer, and each word of it.
func TestVerify(t *testing.T) {
	for _, c := range verifyCases {
		t.Run(c.name, func(t *testing.T) {
			reports := c.reports(t)
			if len(reports) != 1 {
				t.Fatalf("%d reports", len(reports))
			}
			r := reports[0]
			if r.Phase != c.phase || r.Safe != c.safe || r.Safe != (len(r.Stopped()) == 0 && (r.Step == live.Deploy || r.Step == live.Cleanup || r.Step == live.Done)) {
				t.Errorf("it is %s, safe: %t; want %s, %t; %+v", r.Phase, r.Safe, c.phase, c.safe, r.Problems)
			}
			text := r.Text(verified{dir: ".", call: call{dir: "."}, wants: make([]live.Want, 1)}.commands(r))
			encoded, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			for _, secret := range []string{"hunter2", base64.StdEncoding.EncodeToString([]byte("hunter2")), "\x1b"} {
				if strings.Contains(text, secret) || strings.Contains(string(printable.JSON(encoded)), secret) {
					t.Errorf("it shows %q:\n%s%s", secret, text, encoded)
				}
			}
			if printable.Commands(text) {
				t.Errorf("it gives commands to a CI runner:\n%s", text)
			}
			for line := range strings.Lines(text) {
				if len(line) > 121 {
					t.Errorf("a line of %d: %s", len(line), line)
				}
			}
			answer := filepath.Join(verifyData, "answers", c.name+".txt")
			if *update {
				write(t, verifyData, "answers/"+c.name+".txt", text)
			}
			if want, err := os.ReadFile(answer); err != nil || text != string(want) {
				t.Errorf("%v: got\n%s\nwant\n%s", err, text, want)
			}
		})
	}
}

// TestVerifyPage holds that the page about verify shows what it says.
func TestVerifyPage(t *testing.T) {
	if page := read(t, filepath.Join("..", "..", "docs"), "verify.md"); !strings.Contains(page, "```text\n"+read(t, verifyData, "answers/during.txt")+"```\n") {
		t.Error("docs/verify.md does not show the answer during the take-over")
	}
}

// TestVerifyCommand holds the exit codes, and what is refused.
func TestVerifyCommand(t *testing.T) {
	dir, files := filepath.Join(verifyData, "deployed"), t.TempDir()
	after := read(t, verifyData, "after.yaml")
	now := "# snapshot " + time.Now().UTC().Format(time.RFC3339)
	fresh := after[:strings.LastIndex(after, "# snapshot")] + now + "\n"
	for name, text := range map[string]string{
		"after": fresh, "stale": strings.Replace(fresh, now, "# snapshot 2026-01-01T00:00:00Z", 1), "twice": fresh + fresh[strings.Index(fresh, "\n"):], "contexts": fresh + "# context other\n", "table": "NAME READY\nflux True\n",
		"alias": "apiVersion: v1\nkind: List\nitems: [&a [b, b, b, b, b, b, b, b, b, b], &c [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a], &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c], " +
			"&e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d], &f [*e, *e, *e, *e, *e, *e, *e, *e, *e, *e], &g [*f, *f, *f, *f, *f, *f, *f, *f, *f, *f]]\n",
		"empty": "", "many": strings.Repeat("{apiVersion: v1, kind: Secret}\n", 10_001),
	} {
		write(t, files, name, text)
	}
	at := func(name string) string { return filepath.Join(files, name) }
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"verify", "--subfolder", dir, "--live", at("after")}, 0, "Next (safe): the phase cleanup"},
		{[]string{"verify", "--subfolder", dir, "--live", at("after"), "-o", "json"}, 0, `"phase": "taken over"`},
		{[]string{"verify", "--subfolder", dir, "--live", at("stale")}, ExitChanges, "the file cannot be relied on"},
		{[]string{"verify", "--subfolder", dir, "--live", at("twice")}, ExitError, "as no cluster does"},
		{[]string{"verify", "--subfolder", dir, "--live", at("contexts")}, ExitError, "several contexts"},
		{[]string{"verify", "--subfolder", dir, "--live", at("table")}, ExitError, "not a YAML mapping"},
		{[]string{"verify", "--subfolder", dir, "--live", at("alias")}, ExitError, "aliases that stand for more"},
		{[]string{"verify", "--subfolder", dir, "--live", at("many")}, ExitError, "more than 10000 documents"},
		{[]string{"verify", "--subfolder", dir, "--live", at("empty")}, ExitError, "it holds no objects"},
		{[]string{"verify", "--subfolder", dir, "--live", at("none")}, ExitError, "no such file"},
		{[]string{"verify", "--subfolder", dir, "--live", at("after"), "--live", at("stale"), "--cluster", "./other"}, ExitError, "no classic install syncs ./other"},
		{[]string{"verify", "--subfolder", dir}, ExitError, "--live FILE"},
		{[]string{"verify", "--subfolder", dir, "--script", "--live", at("after")}, ExitError, "or --script"},
		{[]string{"verify", "--subfolder", dir, "--live", at("after"), "-o", "yaml"}, ExitError, "use text or json"},
		{[]string{"verify", files, "--script"}, ExitError, "no Flux was found"},
		{[]string{"verify", "--subfolder", dir, "--script"}, 0, "get secrets,configmaps -n flux-system -o go-template="},
	} {
		var out, errOut bytes.Buffer
		code := Execute(t.Context(), c.args, strings.NewReader(""), &out, &errOut)
		if code != c.code || !strings.Contains(out.String()+errOut.String(), c.want) {
			t.Errorf("%q: exit code %d, want %d and %q:\n%s%s", c.args, code, c.code, c.want, out.String(), errOut.String())
		}
		if strings.Contains(errOut.String(), "aHVudGVyMg") {
			t.Error(errOut.String())
		}
	}
	two := fixture(t, "two-clusters")
	if got := must(t, ExitError, two, "verify", "DIR", "--live", at("after")); !strings.Contains(got.errOut, "is of none of the clusters here") {
		t.Error(got.errOut)
	}
}

// TestScriptReads holds that the script has no verb of kubectl but those that read, and takes nothing of a Secret but
// its name.
func TestScriptReads(t *testing.T) {
	script := must(t, 0, "", "verify", "--subfolder", filepath.Join(verifyData, "deployed"), "--script").out
	calls := strings.Count(script, "kubectl \"$@\" ")
	if reads := strings.Count(script, "kubectl \"$@\" get ") + strings.Count(script, "kubectl \"$@\" config view "); calls < 8 || reads != calls {
		t.Errorf("%d of %d calls read:\n%s", reads, calls, script)
	}
	for line := range strings.Lines(script) {
		if strings.Contains(line, "secrets") && !strings.HasPrefix(strings.TrimSpace(line), "echo") && (!strings.Contains(line, ".metadata.name}}") || strings.Contains(line, ".data") || strings.Contains(line, "yaml")) {
			t.Errorf("it reads more of Secrets than names: %s", line)
		}
	}
}
