package command

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// wrongUse is a way to use the command line wrongly, or on what it cannot do.
type wrongUse struct {
	name string
	// in makes the folder that DIR stands for.
	in   func(t *testing.T) string
	args []string
	code int
	// says are what is wrong, where, and what to do, as far as the three are not one.
	says []string
}

// from makes a folder of the input of a golden case, and what is done to it.
func from(name string, change ...func(t *testing.T, dir string)) func(t *testing.T) string {
	return func(t *testing.T) string {
		dir := fixture(t, name)
		for _, do := range change {
			do(t, dir)
		}
		return dir
	}
}

// over puts the input of a golden case on what is there.
func over(name string) func(t *testing.T, dir string) {
	return func(t *testing.T, dir string) {
		copied := fixture(t, name)
		for _, file := range filesBelow(t, copied) {
			write(t, dir, file, read(t, copied, file))
		}
	}
}

// filesBelow are the files of a folder.
func filesBelow(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	for name := range filesOf(t, dir) {
		all = append(all, name)
	}
	return all
}

// here is an empty folder, in which the command is run.
func here(t *testing.T) string {
	dir := t.TempDir()
	t.Chdir(dir)
	return dir
}

// wrote writes a file into the folder.
func wrote(name, content string) func(t *testing.T, dir string) {
	return func(t *testing.T, dir string) { write(t, dir, name, content) }
}

// committed makes it a repository.
func committed(t *testing.T, dir string) { commit(t, dir) }

// mode changes the mode of a file or folder, as one that is not root meets it.
func mode(name string, perm os.FileMode) func(t *testing.T, dir string) {
	return func(t *testing.T, dir string) {
		at := filepath.Join(dir, name)
		if err := os.Chmod(at, perm); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Chmod(at, 0o755) })
	}
}

// unprivileged goes on as one whom permissions bind.
func unprivileged(t *testing.T, dir string) {
	if os.Geteuid() != 0 {
		return
	}
	for at := dir; at != filepath.Clean(os.TempDir()) && at != "/"; at = filepath.Dir(at) {
		if err := os.Chmod(at, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	const nobody = 65534
	if err := syscall.Seteuid(nobody); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() {
		if err := syscall.Seteuid(0); err != nil {
			t.Fatal(err)
		}
	})
}

// applied has made deploy, or with another phase more.
func applied(args ...string) func(t *testing.T, dir string) {
	return func(t *testing.T, dir string) { must(t, 0, dir, append([]string{"apply", dir}, args...)...) }
}

// wrongUses are what people get wrong most.
func wrongUses(t *testing.T) []wrongUse {
	given := t.TempDir()
	write(t, given, "migrate.yaml", "apiVersion: fn.kpt.dev/v1alpha1\nkind: MigrateToFluxOperator\nphse: cleanup\n")
	cleanup := []string{"apply", "DIR", "--phase", "cleanup", "--taken-over"}
	return []wrongUse{
		{"a typo in a flag", from("deploy"), []string{"plan", "DIR", "--phse", "cleanup"}, 2, []string{"unknown flag: --phse", "did you mean --phase?"}},
		{"a typo in a verb", from("deploy"), []string{"aply", "DIR"}, 2, []string{`unknown command "aply"`, "did you mean apply?"}},
		{"no DIR, and nothing of Flux here", here, []string{"plan"}, 2, []string{"no classic Flux install found", "/001: ", "run on the whole repository"}},
		{"a file", from("deploy"), []string{"plan", "DIR/cluster/sync.yaml"}, 2, []string{"cluster/sync.yaml: not a directory", "name the root of the repository"}},
		{"a subfolder", from("deploy", committed), []string{"plan", "DIR/cluster"}, 2, []string{"/cluster is a folder of the checkout ", "Run on ", "or add --subfolder"}},
		{"an empty folder", from("deploy", func(t *testing.T, dir string) { write(t, dir, "empty/.keep", "") }), []string{"plan", "DIR/empty"}, 2,
			[]string{"no classic Flux install found", "/empty: ", "run on the whole repository"}},
		{"an unknown field", from("deploy"), []string{"plan", "DIR", "--config", filepath.Join(given, "migrate.yaml")}, 2,
			[]string{`unknown config field "phse"`, "migrate.yaml: ", "the fields are phase, "}},
		{"cleanup first", from("deploy", committed), []string{"plan", "DIR", "--phase", "cleanup"}, 2, []string{"cleanup is too early", "cluster/flux.yaml:12: ", "run the phase deploy"}},
		{"a tree that is not clean", from("deploy", committed, applied()), []string{"check", "DIR", "--phase", "cleanup", "--taken-over"}, 2,
			[]string{"what deploy wrote is not committed", "cluster/flux-operator/ks.yaml", "commit and push them"}},
		{"no Git", from("deploy", applied()), cleanup, 0, []string{" is not a Git checkout", "cluster/flux.yaml:12: ", "run on a clone"}},
		{"migrated already", from("deploy", applied(), applied("--phase", "cleanup", "--taken-over")), []string{"apply", "DIR"}, 0,
			[]string{"no classic install is left", "cluster/flux-operator/instance/instance.yaml:1: ", "nothing to do"}},
		{"Flux 0.x", from("bootstrap-deploy", over("bootstrap-of-flux-0-refused")), []string{"plan", "DIR"}, 2,
			[]string{"Flux 0.41.2 cannot be installed by Flux Operator", "flux-system/gotk-components.yaml:4: ", "upgrade Flux to 2.x first"}},
		{"a file that is read-only", from("deploy", mode("cluster/sync.yaml", 0o444)), []string{"apply", "DIR"}, 2,
			[]string{"the file is read-only", "cluster/sync.yaml: ", "make it writable, and run again"}},
		{"YAML that is broken", from("deploy", wrote("cluster/kustomization.yaml", "resources: [\n")), []string{"plan", "DIR"}, 2,
			[]string{"line 1 is not YAML", "cluster/kustomization.yaml: ", "correct it"}},
		{"two installs", from("deploy", over("two-installs-on-one-cluster-refused")), []string{"plan", "DIR"}, 2,
			[]string{"two classic installs on one cluster", "cluster/old.yaml:12: ", "Guard the one that does not"}},
		{"a folder that cannot be read", from("deploy", mode("apps", 0), unprivileged), []string{"plan", "DIR"}, 2,
			[]string{"permission denied", "openat apps", "make it readable, and run again"}},
	}
}

// TestWrongUses holds that whoever uses the command line wrongly reads at most six lines, which say what is wrong, where
// and what to do, and that nothing is written.
func TestWrongUses(t *testing.T) {
	const most = 6
	for _, use := range wrongUses(t) {
		t.Run(use.name, func(t *testing.T) {
			dir := use.in(t)
			var args []string
			for _, arg := range use.args {
				args = append(args, strings.Replace(arg, "DIR", dir, 1))
			}
			got := must(t, use.code, dir, args...)
			said, _, _ := strings.Cut(got.out+got.errOut, "\nWait ") // what comes next is not about the use
			if lines := strings.Count(said, "\n"); lines > most {
				t.Errorf("%d lines:\n%s%s", lines, got.out, got.errOut)
			}
			for _, want := range use.says {
				if !strings.Contains(got.out+got.errOut, want) {
					t.Errorf("%q is not said:\n%s%s", want, got.out, got.errOut)
				}
			}
		})
	}
}
