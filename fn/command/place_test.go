package command

import "testing"

// TestPlaces finds the lines of fields, also of those that are only partly there.
func TestPlaces(t *testing.T) {
	const text = "# A comment.\n" + // 1
		"---\n" + // 2
		"# Another one.\n" + // 3
		"kind: A\n" + // 4
		"---\n" + // 5
		"\n" + // 6
		"# The second document.\n" + // 7
		"kind: B\n" + // 8
		"metadata:\n" + // 9
		"  annotations:\n" + // 10
		"    a.b/c: d\n" + // 11
		"    a: {b/c: e}\n" + // 12
		"spec:\n" + // 13
		"  patches:\n" + // 14
		"  - patch: |\n" + // 15
		"      a: b\n" + // 16
		"    target:\n" + // 17
		"      kind: A\n" + // 18
		"  - patch: x\n" // 19
	p := newPlaces(func(string) ([]byte, error) { return []byte(text), nil })
	cases := []struct {
		index int
		field string
		want  int
	}{
		{0, "", 4}, {1, "", 8}, {1, "metadata.annotations", 10}, {1, "metadata.annotations.a.b/c", 11}, {1, "metadata.annotations.a", 12},
		{1, "spec.patches[0]", 15}, {1, "spec.patches[0].target.kind", 18}, {1, "spec.patches[1].patch", 19}, {1, "spec.patches[7]", 14},
		{1, "spec.missing.field", 13}, {1, "missing", 8}, {2, "", 0},
	}
	for _, c := range cases {
		if got := p.line("file", c.index, c.field); got != c.want {
			t.Errorf("document %d, field %q: line %d, want %d", c.index, c.field, got, c.want)
		}
	}
	broken := newPlaces(func(string) ([]byte, error) { return []byte("a: b\n---\n{\n"), nil })
	if got := broken.line("file", 1, "a"); got != 3 {
		t.Errorf("a broken document is in line %d, want 3", got)
	}
}
