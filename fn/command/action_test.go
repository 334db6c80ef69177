package command

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// shellStep is a step of a workflow or of an action that a shell runs.
type shellStep struct {
	ID  string            `json:"id"`
	Run string            `json:"run"`
	Env map[string]string `json:"env"`
}

// runner runs steps as the runner of GitHub does.
type runner struct {
	dir    string            // where they run
	bin    string            // a folder in front of PATH
	env    map[string]string // what the runner sets
	values map[string]string // what expressions stand for
}

// expression is what a value of env may be here: one name, so that everything else happens in the scripts.
var expression = regexp.MustCompile(`^\$\{\{ ([a-z0-9._-]+) \}\}$`)

// steps runs steps until one fails, and returns what they print and whether all succeeded.
func (r runner) steps(t *testing.T, all []shellStep) (out string, ok bool) {
	t.Helper()
	for _, s := range all {
		if s.Run == "" {
			continue
		}
		said, ok := r.step(t, s)
		out += said
		if !ok {
			return out, false
		}
	}
	return out, true
}

// step runs one step, and takes its outputs.
func (r runner) step(t *testing.T, s shellStep) (out string, ok bool) {
	t.Helper()
	if strings.Contains(s.Run, "${{") {
		t.Fatalf("the script of %s has an expression in it, whose value would be run", s.ID)
	}
	outputs := filepath.Join(t.TempDir(), "outputs")
	shell := exec.Command("bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", s.Run)
	shell.Dir = r.dir
	shell.Env = append(os.Environ(), "PATH="+r.bin+string(os.PathListSeparator)+os.Getenv("PATH"), "GITHUB_OUTPUT="+outputs)
	for name, value := range r.env {
		shell.Env = append(shell.Env, name+"="+value)
	}
	for name, value := range s.Env {
		if is := expression.FindStringSubmatch(value); is != nil {
			known := false
			if value, known = r.values[is[1]]; !known && !strings.HasPrefix(is[1], "steps.") {
				t.Fatalf("%s of step %s: nothing is known of %s", name, s.ID, is[1])
			}
		}
		shell.Env = append(shell.Env, name+"="+value)
	}
	said, err := shell.CombinedOutput()
	content, _ := os.ReadFile(outputs)
	for line := range strings.Lines(string(content)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		r.values["steps."+s.ID+".outputs."+name] = value
	}
	return string(said), err == nil
}

// action are the steps of action.yml and its inputs, as they are by default.
func action(t *testing.T) (steps []shellStep, values map[string]string) {
	t.Helper()
	var read struct {
		Inputs map[string]struct{ Default string }
		Runs   struct{ Steps []shellStep }
	}
	readYAML(t, filepath.Join("..", "..", "action.yml"), &read)
	values = map[string]string{
		"github.action_ref":                "v1.2.3",
		"github.action_repository":         "owner/migrate-to-flux-operator",
		"github.event.pull_request.number": "7",
	}
	for name, input := range read.Inputs {
		values["inputs."+name] = input.Default
	}
	return read.Runs.Steps, values
}

// readYAML reads a file.
func readYAML(t *testing.T, file string, into any) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err == nil {
		err = yaml.Unmarshal(content, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// pullRequest is a checkout of the example whose pull request takes an application out, and what runs the action on it.
func pullRequest(t *testing.T) ([]shellStep, runner) {
	t.Helper()
	bin, dir := programAndCheckout(t)
	runGit(t, dir, "rm", "--quiet", "kubernetes/flux/apps.yaml")
	runGit(t, dir, "commit", "--quiet", "--message", "Remove the applications")
	steps, values := action(t)
	values["inputs.binary"] = filepath.Join(bin, "migrate-to-flux-operator")
	env := machine(t)
	maps.Copy(env, map[string]string{
		"GITHUB_BASE_REF":   "main",
		"GITHUB_REPOSITORY": "owner/fleet",
		"GITHUB_SERVER_URL": "https://github.com",
		"GITHUB_RUN_ID":     "1",
		"GIT_CONFIG_GLOBAL": os.DevNull,
	})
	return steps, runner{dir: dir, bin: stub(t), values: values, env: env}
}

// machine is what the runner sets on every run, and the folder of the stub.
func machine(t *testing.T) map[string]string {
	t.Helper()
	temp := t.TempDir()
	return map[string]string{
		"RUNNER_OS": "Linux", "RUNNER_ARCH": "X64", "RUNNER_TEMP": temp, "GITHUB_STEP_SUMMARY": filepath.Join(temp, "summary.md"),
		"STUB": t.TempDir(),
	}
}

// stub is a folder with a gh that keeps what it is called with in the folder $STUB, and answers with what lies there.
func stub(t *testing.T) string {
	t.Helper()
	bin := t.TempDir()
	const gh = `#!/usr/bin/env bash
echo "$*" >>"$STUB/calls"
case "$1 $2" in
"release download") cp "$STUB/archive" "$5" ;;
"attestation verify") [ ! -e "$STUB/forged" ] ;;
"api --paginate") cat "$STUB/comments" 2>/dev/null || true ;;
"api --method") [ ! -e "$STUB/read-only" ] && cp "${6#body=@}" "$STUB/body" ;;
esac
`
	if err := os.WriteFile(filepath.Join(bin, "gh"), []byte(gh), 0o755); err != nil {
		t.Fatal(err)
	}
	return bin
}

// written is the content of a file, empty where there is none.
func written(file string) string {
	content, _ := os.ReadFile(file)
	return string(content)
}

// TestAction runs the steps of the action on a pull request.
func TestAction(t *testing.T) {
	steps, run := pullRequest(t)
	for name, test := range map[string]func(*testing.T, []shellStep, runner){
		"summary": testSummary, "comment": testComment, "inputs that are hostile": testHostileInputs,
	} {
		t.Run(name, func(t *testing.T) { test(t, steps, run.fresh(t, nil)) })
	}
}

// fresh is the runner for another run, with other values.
func (r runner) fresh(t *testing.T, values map[string]string) runner {
	t.Helper()
	r.env, r.values = maps.Clone(r.env), maps.Clone(r.values)
	maps.Copy(r.env, machine(t))
	maps.Copy(r.values, values)
	return r
}

// testSummary holds that what is said goes into the summary, the verdicts above the long plan, and that the worst exit
// code is that of the action.
func testSummary(t *testing.T, steps []shellStep, run runner) {
	for _, test := range []struct {
		commands string
		code     string
		says     []string
	}{
		{"plan check", "1", []string{"**Check**: a run would change files.", "# Hand Flux over to Flux Operator"}},
		{"plan inventory", "1", []string{
			"## What this commit makes Flux prune", "**Flux deletes or loses objects.**",
			"this commit makes Flux prune 4 objects: Deployment/guestbook/guestbook, ",
			"error   lost Deployment/guestbook/guestbook: Flux Kustomization flux-system/guestbook goes", "# Hand Flux over",
		}},
		{"plan", "0", []string{"# Hand Flux over"}},
	} {
		r := run.fresh(t, map[string]string{"inputs.commands": test.commands})
		out, ok := r.steps(t, steps)
		if code := r.values["steps.run.outputs.exit-code"]; code != test.code || ok != (code == "0") {
			t.Errorf("%s: exit code %q, success %t\n%s", test.commands, code, ok, out)
		}
		summary := written(r.env["GITHUB_STEP_SUMMARY"])
		rest := summary
		for _, line := range test.says {
			var found bool
			if _, rest, found = strings.Cut(rest, line); !found {
				t.Errorf("%s: the summary has no %q after the one before:\n%s", test.commands, line, summary)
			}
		}
		if calls := written(filepath.Join(r.env["STUB"], "calls")); calls != "" {
			t.Errorf("%s: gh was called: %s", test.commands, calls)
		}
	}
}

// TestActionIsRefused holds what it says where it cannot do what it is told to.
func TestActionIsRefused(t *testing.T) {
	none := map[string]string{}
	release := func(values map[string]string) map[string]string {
		values["inputs.binary"] = ""
		return values
	}
	for name, test := range map[string]struct {
		values, env map[string]string
		says        string
	}{
		"an unknown command":         {map[string]string{"inputs.commands": "apply"}, none, "the commands are plan, check and inventory"},
		"nothing to compare with":    {map[string]string{"inputs.commands": "inventory"}, none, "inventory has nothing to compare with"},
		"a branch of the action":     {release(map[string]string{"github.action_ref": "main"}), none, "which release?"},
		"an action that is a folder": {release(map[string]string{"github.action_repository": ""}), none, "which release?"},
		"a machine without a release": {
			release(map[string]string{}), map[string]string{"RUNNER_ARCH": "ARM"}, "there is no release for Linux on ARM",
		},
	} {
		t.Run(name, func(t *testing.T) {
			steps, values := action(t)
			values["inputs.binary"] = "true"
			maps.Copy(values, test.values)
			env := machine(t)
			env["GITHUB_BASE_REF"] = ""
			maps.Copy(env, test.env)
			out, ok := runner{dir: t.TempDir(), bin: stub(t), values: values, env: env}.steps(t, steps)
			if ok || !strings.Contains(out, "::error::"+test.says) {
				t.Errorf("success %t\n%s", ok, out)
			}
		})
	}
}

// TestActionInstalls takes the archive of the release that the action is used at, and runs it only where it is proven
// to be from there.
func TestActionInstalls(t *testing.T) {
	for _, forged := range []bool{false, true} {
		t.Run(fmt.Sprintf("forged %t", forged), func(t *testing.T) {
			steps, values := action(t)
			env := machine(t)
			env["RUNNER_ARCH"] = "ARM64"
			made := env["STUB"]
			program := filepath.Join(made, "migrate-to-flux-operator")
			if err := os.WriteFile(program, []byte("#!/bin/sh\necho it ran \"$@\"\n"), 0o755); err != nil {
				t.Fatal(err)
			}
			pack(t, made, filepath.Join(made, "archive"))
			if forged {
				write(t, made, "forged", "")
			}
			values["inputs.commands"] = "check"
			out, ok := runner{dir: t.TempDir(), bin: stub(t), values: values, env: env}.steps(t, steps)
			if ran := strings.Contains(out, "it ran check ."); ran == forged || ok == forged {
				t.Errorf("success %t\n%s", ok, out)
			}
			const archive = "migrate-to-flux-operator_v1.2.3_linux_arm64.tar.gz"
			want := "release download v1.2.3 --pattern " + archive + " --clobber\n" +
				"attestation verify " + archive + " --repo owner/migrate-to-flux-operator --source-ref refs/tags/v1.2.3 " +
				"--signer-workflow owner/migrate-to-flux-operator/.github/workflows/release.yaml\n"
			if calls := written(filepath.Join(made, "calls")); calls != want {
				t.Errorf("gh was called with\n%swant\n%s", calls, want)
			}
		})
	}
}

// pack makes an archive of the program in a folder.
func pack(t *testing.T, dir, archive string) {
	t.Helper()
	if out, err := exec.Command("tar", "-C", dir, "-czf", archive, "migrate-to-flux-operator").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// testComment writes one comment, keeps it up to date, and gets by with a token that may not write.
func testComment(t *testing.T, steps []shellStep, run runner) {
	at := run.env["STUB"]
	comment := func(want string) string {
		t.Helper()
		os.Remove(filepath.Join(at, "calls"))
		r := run.fresh(t, map[string]string{"inputs.commands": "plan", "inputs.comment": "true"})
		r.env["STUB"] = at
		out, ok := r.steps(t, steps)
		if calls := written(filepath.Join(at, "calls")); !ok || !strings.Contains(calls, want) {
			t.Errorf("success %t, gh was called with\n%s\n%s", ok, calls, out)
		}
		return out
	}
	comment("api --method POST repos/owner/fleet/issues/7/comments -F body=@")
	body := written(filepath.Join(at, "body"))
	if !strings.HasPrefix(body, "<!-- migrate-to-flux-operator -->\n") || !strings.Contains(body, "# Hand Flux over") {
		t.Errorf("the comment is\n%s", body)
	}
	write(t, at, "comments", "41\n42\n")
	comment("api --method PATCH repos/owner/fleet/issues/comments/41 -F body=@")
	write(t, at, "read-only", "")
	if out := comment("api --method PATCH"); !strings.Contains(out, "::warning::no comment was written") {
		t.Errorf("it says nothing of the comment that it could not write\n%s", out)
	}
}

// testHostileInputs holds that what an input says is never run.
func testHostileInputs(t *testing.T, steps []shellStep, run runner) {
	for _, name := range []string{"directory", "config", "against"} {
		run.values["inputs."+name] = `$(touch run)"; touch run; "`
	}
	run.values["inputs.commands"] = "plan check inventory"
	out, ok := run.steps(t, steps)
	if _, err := os.Stat(filepath.Join(run.dir, "run")); ok || err == nil {
		t.Errorf("success %t, run: %v\n%s", ok, err, out)
	}
}

// TestGitLab runs the script of the template for GitLab, as its runner does in an image with a plain shell.
func TestGitLab(t *testing.T) {
	bin, dir := programAndCheckout(t)
	base := strings.TrimSpace(runGit(t, dir, "rev-parse", "HEAD"))
	runGit(t, dir, "rm", "--quiet", "kubernetes/flux/apps.yaml")
	runGit(t, dir, "commit", "--quiet", "--message", "Remove the applications")
	archive := filepath.Join(t.TempDir(), "archive")
	pack(t, bin, archive)
	sum, err := exec.Command("sha256sum", archive).Output()
	if err != nil {
		t.Skip("skipped: no sha256sum")
	}
	const from = "https://example.com/v1.2.3/migrate-to-flux-operator_v1.2.3_linux_arm64.tar.gz"
	wget := fmt.Sprintf("#!/bin/sh\n[ \"$4\" = %s ] && cp %s \"$3\"\n", from, archive)
	if err := os.WriteFile(filepath.Join(bin, "wget"), []byte(wget), 0o755); err != nil {
		t.Fatal(err)
	}
	run := func(commands, checksum string) (string, int) {
		variables, script := template(t, map[string]string{
			"releases": "https://example.com", "version": "v1.2.3", "arch": "arm64", "checksum": checksum, "commands": commands,
		})
		shell := exec.Command("sh", "-e", "-c", script)
		shell.Dir = dir
		shell.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), "CI_MERGE_REQUEST_DIFF_BASE_SHA="+base)
		for name, value := range variables {
			shell.Env = append(shell.Env, name+"="+value)
		}
		out, _ := shell.CombinedOutput()
		return string(out), shell.ProcessState.ExitCode()
	}
	out, code := run("plan check inventory", string(sum[:64]))
	if code != 1 || !strings.Contains(out, "error   lost Namespace/guestbook") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	report := written(filepath.Join(dir, "flux-operator.md"))
	if verdict, plan, found := strings.Cut(report, "# Hand Flux over"); !found || plan == "" ||
		!strings.Contains(verdict, "this commit makes Flux prune 4 objects: Deployment/guestbook/guestbook, ") {
		t.Errorf("the report is\n%s", report)
	}
	if out, code := run("plan", string(sum[:64])); code != 0 {
		t.Errorf("exit code %d\n%s", code, out)
	}
	if out, code := run("plan", strings.Repeat("0", 64)); code == 0 || strings.Contains(out, "Cluster ") {
		t.Errorf("exit code %d for an archive that is another one\n%s", code, out)
	}
}

// template is the job of the template for GitLab, with its inputs filled in.
func template(t *testing.T, inputs map[string]string) (variables map[string]string, script string) {
	t.Helper()
	head, job, found := strings.Cut(written(filepath.Join("..", "..", "templates", "migrate-to-flux-operator.yml")), "\n---\n")
	var spec struct {
		Spec struct {
			Inputs map[string]struct{ Default *string }
		}
	}
	if err := yaml.Unmarshal([]byte(head), &spec); err != nil || !found {
		t.Fatalf("it has no inputs: %v", err)
	}
	for name, input := range spec.Spec.Inputs {
		value, given := inputs[name]
		if !given && input.Default == nil {
			t.Fatalf("input %s has to be given", name)
		} else if !given {
			value = *input.Default
		}
		job = strings.ReplaceAll(job, "$[[ inputs."+name+" ]]", value)
	}
	var jobs map[string]struct {
		Variables map[string]any
		Script    []string
	}
	if err := yaml.Unmarshal([]byte(job), &jobs); err != nil || strings.Contains(job, "$[[") {
		t.Fatalf("%v\n%s", err, job)
	}
	only := jobs["migrate-to-flux-operator"]
	variables = map[string]string{}
	for name, value := range only.Variables {
		variables[name] = fmt.Sprint(value)
	}
	return variables, strings.Join(only.Script, "\n")
}

// TestReleaseTags holds which tags of the image a release moves: a fix of an older release takes none from a newer one.
func TestReleaseTags(t *testing.T) {
	var workflow struct {
		Jobs map[string]struct{ Steps []shellStep }
	}
	readYAML(t, filepath.Join("..", "..", ".github", "workflows", "release.yaml"), &workflow)
	dir := t.TempDir()
	commit(t, dir)
	for _, tag := range []string{"v0.9.0", "v1.2.2", "v1.2.10", "v1.3.0-rc.1", "v1.10.0", "v2.0.0-rc.1"} {
		runGit(t, dir, "tag", tag)
	}
	for tag, want := range map[string][2]string{
		"v1.2.2": {}, "v1.2.10": {"true", ""}, "v1.10.0": {"true", "true"}, "v0.9.0": {"true", "true"}, "v1.3.0-rc.1": {}, "v2.0.0-rc.1": {},
	} {
		r := runner{dir: dir, values: map[string]string{}, env: map[string]string{"GITHUB_REF_NAME": tag, "GITHUB_REPOSITORY": "Owner/Name"}}
		for _, s := range workflow.Jobs["image"].Steps {
			if s.ID != "newest" {
				continue
			}
			if out, ok := r.step(t, s); !ok {
				t.Fatal(out)
			}
		}
		got := [2]string{r.values["steps.newest.outputs.minor"], r.values["steps.newest.outputs.major"]}
		if image := r.values["steps.newest.outputs.image"]; got != want || image != "ghcr.io/owner/name" {
			t.Errorf("%s: %q, %s", tag, got, image)
		}
	}
}

// TestDependabotKnowsEveryModule holds that each module and each package of this repository is kept up to date.
func TestDependabotKnowsEveryModule(t *testing.T) {
	root := filepath.Join("..", "..")
	var read struct {
		Updates []struct {
			Ecosystem   string `json:"package-ecosystem"`
			Directory   string
			Directories []string
		}
	}
	readYAML(t, filepath.Join(root, ".github", "dependabot.yml"), &read)
	known := map[string]bool{}
	for _, update := range read.Updates {
		for _, directory := range append(update.Directories, update.Directory) {
			known[update.Ecosystem+" "+directory] = true
		}
	}
	ecosystems := map[string]string{"go.mod": "gomod", "package.json": "npm", "Dockerfile": "docker"}
	found := 0
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		ecosystem := ecosystems[filepath.Base(file)]
		if err != nil || entry.IsDir() && slices.Contains([]string{"testdata", "node_modules", ".git"}, entry.Name()) {
			return cmp.Or(err, fs.SkipDir)
		}
		if ecosystem == "" {
			return nil
		}
		found++
		directory, err := filepath.Rel(root, filepath.Dir(file))
		if want := ecosystem + " " + path.Join("/", filepath.ToSlash(directory)); !known[want] {
			t.Errorf("dependabot.yml has no %s", want)
		}
		return err
	})
	if err != nil || found < 6 {
		t.Errorf("%d files were found: %v", found, err)
	}
}
