package live

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// advice is what a plan tells to do after its commit is pushed.
type advice []struct{ Code, Topic, Message, Command string }

// advise plans a phase and keeps what it prints.
func (r *replay) advise(t *testing.T, args ...string) advice {
	t.Helper()
	said, err := r.said(t, args...)
	if err != nil {
		t.Fatalf("plan %v: %v\n%v", args, err, said)
	}
	return said
}

// said is all that a plan says, whether it has an Error or not.
func (r *replay) said(t *testing.T, args ...string) (advice, error) {
	t.Helper()
	out, failed := r.checkout.command("plan", append([]string{"--output", "json"}, args...)...).Output()
	var planned struct{ Findings advice }
	if err := json.Unmarshal(out, &planned); err != nil {
		t.Fatalf("plan %v: %v\n%s", args, failed, out)
	}
	return planned.Findings, failed
}

// says reports whether there is a message with these words.
func (a advice) says(words string) bool {
	return slices.ContainsFunc(a, func(one struct{ Code, Topic, Message, Command string }) bool {
		return strings.Contains(one.Message, words)
	})
}

// finds reports whether there is a finding with this code.
func (a advice) finds(code string) bool {
	return slices.ContainsFunc(a, func(one struct{ Code, Topic, Message, Command string }) bool { return one.Code == code })
}

// command returns the command of the message with these words, as a person reads it: at the end of the message.
func (a advice) command(t *testing.T, words string) string {
	t.Helper()
	for _, one := range a {
		if !strings.Contains(one.Message, words) {
			continue
		}
		command := strings.ReplaceAll(strings.TrimSpace(one.Command), "\n", " && ")
		if command == "" || !strings.HasSuffix(one.Message, command) {
			t.Fatalf("%q does not end with its command %q", one.Message, command)
		}
		return command
	}
	t.Fatalf("no plan says %q", words)
	return ""
}

// shell runs a command as a person would, with the real kubectl and flux, and returns what it prints.
func (r *replay) shell(t *testing.T, command string) string {
	t.Helper()
	t.Logf("$ %s", command)
	shell := exec.Command("sh", "-c", command)
	shell.Dir = r.checkout.directory
	shell.Env = append(os.Environ(), "KUBECONFIG="+r.kubeconfig(), "PATH="+r.tools.directory+string(filepath.ListSeparator)+os.Getenv("PATH"))
	out, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	return string(out)
}
