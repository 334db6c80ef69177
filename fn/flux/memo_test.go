package flux

import (
	"errors"
	"strconv"
	"testing"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
)

// TestMemo holds that what was built before comes back as it was, whatever became of it, and an error does not.
func TestMemo(t *testing.T) {
	calls, fails := 0, true
	build := func(f files) ([]*kyaml.RNode, error) {
		if calls++; fails {
			return nil, errors.New("no")
		}
		return []*kyaml.RNode{kyaml.MustParse(string(f["/a"]))}, nil
	}
	m := memo{built: map[[32]byte][]*kyaml.RNode{}}
	ask := func(content string) string {
		objects, err := m.build(files{"/a": []byte(content)}, build)
		if err != nil {
			return err.Error()
		}
		text := objects[0].MustString()
		if err := objects[0].PipeE(kyaml.SetField("b", kyaml.NewStringRNode("changed"))); err != nil {
			t.Fatal(err)
		}
		return text
	}
	if got := ask("b: 1\n"); got != "no" {
		t.Errorf("got %q", got)
	}
	fails = false
	for range 3 {
		if got := ask("b: 1\n"); got != "b: 1\n" {
			t.Errorf("got %q", got)
		}
	}
	if got := ask("b: 2\n"); got != "b: 2\n" || calls != 3 {
		t.Errorf("got %q after %d calls", got, calls)
	}
	for i := range maxBuilt {
		ask("c: " + strconv.Itoa(i) + "\n")
	}
	if len(m.built) > maxBuilt {
		t.Errorf("%d are kept", len(m.built))
	}
}
