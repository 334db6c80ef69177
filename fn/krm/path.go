package krm

import (
	"io/fs"
	"path"
	"strings"

	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/object"
)

// outside finds the first object whose path annotation leads out of the root: what is written beside it would be, too.
func outside(objects []*object.Object) (finding.Finding, bool) {
	for _, o := range objects {
		if o.File == "" || isInside(o.File) {
			continue
		}
		return finding.Finding{Severity: finding.Error, Code: finding.PathOutside, Object: o.ID,
			File: o.File, Index: o.Index,
			Message: "the path annotation of this item is not a path below the root, relative and with slashes: run " +
				"the function on the root of the repository"}, true
	}
	return finding.Finding{}, false
}

// isInside reports whether a path stays below the root, on every operating system.
func isInside(file string) bool {
	drive := len(file) > 1 && file[1] == ':'
	return fs.ValidPath(path.Clean(file)) && !drive && !strings.ContainsAny(file, "\\\x00")
}
