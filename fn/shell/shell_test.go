package shell

import (
	"os/exec"
	"strings"
	"testing"
)

func TestWord(t *testing.T) {
	for in, want := range map[string]string{
		"":                      "''",
		"./clusters/a-b_c.d":    "./clusters/a-b_c.d",
		"a b":                   "'a b'",
		"$(x)":                  "'$(x)'",
		"it's":                  `'it'\''s'`,
		"--for=condition=Ready": "--for=condition=Ready",
		"jsonpath={.spec.path}": "jsonpath='{.spec.path}'",
		"-chdir=a b":            "-chdir='a b'",
		"=ls":                   "'=ls'",
		"~":                     "'~'",
		"a=~/x":                 "a='~/x'",
		"deployments,secrets":   "deployments,secrets",
		"crds.x.io/y":           "crds.x.io/y",
		"!x":                    "'!x'",
		"a\nb":                  "'a\nb'",
		"ü":                     "'ü'",
	} {
		if got := Word(in); got != want {
			t.Errorf("%q is %s, want %s", in, got, want)
		}
	}
}

func TestLines(t *testing.T) {
	got := And(Run("a", "b c").Pipe(Run("d")), Run("kubectl", "apply", "--filename="+Filename(`x,"y`), Path("-rf/z")))
	if want := Line(`a 'b c' | d && kubectl apply --filename='"x,""y"' ./-rf/z`); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// FuzzRun runs a program on two words, and holds that these are its arguments.
func FuzzRun(f *testing.F) {
	for _, word := range []string{"", "a b", "$(touch x)", "`x`", "it's", `a\`, "a\nb", "-rf", "~", "a=~", "=ls", "--x={a,b}", "*", "!!", "\xff", "#", "a;b", "ü"} {
		f.Add(word, "x")
	}
	shell, err := exec.LookPath("sh")
	if err != nil {
		f.Skip("there is no shell")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if strings.Contains(a+b, "\x00") {
			t.Skip("no argument holds that")
		}
		line := Run("printf", `%s\0`, "", a, b, "")
		said, err := exec.Command(shell, "-c", string(line)).CombinedOutput()
		if want := "\x00" + a + "\x00" + b + "\x00\x00"; err != nil || string(said) != want {
			t.Errorf("%s says %q, %v", line, said, err)
		}
	})
}
