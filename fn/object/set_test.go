package object

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/GoogleContainerTools/kpt-functions-sdk/go/fn"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
)

// named makes an object of a file.
func named(file string, index int, kind, name string) *Object {
	return New(ID{APIVersion: "v1", Kind: kind, Name: name}, "", file, index)
}

// names lists objects by name.
func names(objects []*Object) string {
	var all []string
	for _, o := range objects {
		all = append(all, o.Name)
	}
	return strings.Join(all, " ")
}

func TestSetInAnyOrder(t *testing.T) {
	objects := []*Object{named("b.yaml", 1, "A", "b1"), named("b.yaml", 0, "A", "b0"), named("a/c.yaml", 0, "A", "c"), named("b.yaml", 2, "B", "b2"),
		named("b.yaml", 10, "A", "b10")}
	for seed := range uint64(5) {
		rand.New(rand.NewPCG(seed, 0)).Shuffle(len(objects), func(i, j int) { objects[i], objects[j] = objects[j], objects[i] })
		set := NewSet(objects)
		if have := names(set.Of("", "A")); have != "c b0 b1 b10" {
			t.Errorf("Of: have %s", have)
		}
		if have := names(set.InFile("b.yaml")); have != "b0 b1 b2 b10" {
			t.Errorf("InFile: have %s", have)
		}
		if have := names(set.Find(ID{APIVersion: "v2", Kind: "A", Name: "c"})); have != "c" {
			t.Errorf("Find: have %q", have)
		}
	}
}

func TestSetChanges(t *testing.T) {
	a, b := named("x.yaml", 0, "A", "a"), named("x.yaml", 1, "A", "b")
	set := NewSet([]*Object{b, a})
	set.Remove(a)
	set.Add(named("y.yaml", 0, "A", "new"))
	for what, c := range map[string]struct{ have, want string }{
		"All keeps the order and leaves out what is removed": {names(set.All()), "b"},
		"Input has what is removed":                          {names(set.Input()), "b a"},
		"Current has what is new":                            {names(set.Current()), "b new"},
		"Of has what is new":                                 {names(set.Of("", "A")), "b new"},
		"InFile leaves out what is removed":                  {names(set.InFile("x.yaml")), "b"},
		"InFile has what is new":                             {names(set.InFile("y.yaml")), "new"},
		"Added is what is new":                               {names(set.Added()), "new"},
		"Below has what is new":                              {names(set.Below(".")), "b new"},
	} {
		if c.have != c.want {
			t.Errorf("%s: want %q, have %q", what, c.want, c.have)
		}
	}
	if !set.Removed(a) || set.Removed(b) {
		t.Error("Removed is wrong")
	}
}

// TestUntil holds that what is kept is made anew after everything that can change it.
func TestUntil(t *testing.T) {
	o := New(ID{APIVersion: "v1", Kind: "A"}, "apiVersion: v1\nkind: A\n", "x.yaml", 0)
	set := NewSet([]*Object{o})
	type key struct{}
	made := 0
	get := func() { Until(set, key{}, func(*Set) int { made++; return made }) }
	for n, change := range []func(){
		func() {}, func() { set.Remove(o) }, func() { set.Keep(o) }, func() { set.Add(named("y.yaml", 0, "A", "new")) },
		func() { _ = o.Edit(func(k *fn.KubeObject) error { return k.SetNestedString("b", "a") }) },
		func() { _ = o.EditNode(func(*kyaml.RNode) error { return nil }) },
	} {
		change()
		get()
		get()
		if made != n+1 {
			t.Errorf("after change %d: made %d times", n, made)
		}
	}
}

func TestHolds(t *testing.T) {
	set := NewSet([]*Object{named("a/b/c.yaml", 0, "A", "a"), named("d.yaml", 0, "A", "b")})
	set.Add(named("new/x.yaml", 0, "A", "c"))
	for dir, want := range map[string]bool{".": true, "a": true, "a/b": true, "new": true, "d.yaml": false, "a/b/c.yaml": false, "a/": false, "b": false, "": false} {
		if set.Holds(dir) != want {
			t.Errorf("%q: want %v", dir, want)
		}
	}
	if set.Remove(set.InFile("a/b/c.yaml")[0]); set.Holds("a") || !set.Holds(".") {
		t.Error("an object that was taken out counts")
	}
}

func TestHasPaths(t *testing.T) {
	if !NewSet(nil).HasPaths() || !NewSet([]*Object{named("", 0, "A", "a"), named("x", 0, "A", "b")}).HasPaths() {
		t.Error("an input with paths has none")
	}
	if NewSet([]*Object{named("", 0, "A", "a")}).HasPaths() {
		t.Error("an input without paths has some")
	}
}

func TestWithin(t *testing.T) {
	for _, c := range []struct {
		dir, root string
		want      bool
	}{
		{"a", ".", true}, {".", ".", true}, {"a", "a", true}, {"a/b", "a", true}, {"ab", "a", false}, {"a", "a/b", false}, {".", "a", false},
	} {
		if Within(c.dir, c.root) != c.want {
			t.Errorf("Within(%q, %q): want %v", c.dir, c.root, c.want)
		}
	}
}
