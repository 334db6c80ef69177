package krm

import (
	"strings"
	"testing"
)

// TestPathsOutside proves that an item which says it came from outside of the root is refused: files would be written
// there.
func TestPathsOutside(t *testing.T) {
	for _, file := range []string{"../all.yaml", "a/../../all.yaml", "/etc/all.yaml", `C:\cluster\all.yaml`, "C:/cluster/all.yaml", `cluster\all.yaml`, `\\host\all.yaml`} {
		items, _, err := call(t, strings.ReplaceAll(list, "'cluster/all.yaml'", "'"+file+"'"))
		if err == nil || !strings.Contains(err.Error(), "not a path below the root") || len(items) != 4 {
			t.Errorf("%s: %d items, %v", file, len(items), err)
		}
	}
	if _, _, err := call(t, strings.ReplaceAll(list, "'cluster/all.yaml'", "./cluster/../cluster/all.yaml")); err != nil {
		t.Errorf("a path inside of the root is refused: %v", err)
	}
}
