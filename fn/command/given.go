package command

import (
	"path/filepath"

	"migrate-to-flux-operator/fn/regular"
)

// readGiven reads a file that a person names. One that lies in the repository is read as a file of it, because others
// may have put a link in its place; another one may be a link or a pipe.
func readGiven(dir, file string, size int64) ([]byte, error) {
	if name, inside := nameIn(dir, file); inside {
		return regular.ReadIn(dir, name)
	}
	return regular.ReadGiven(file, size)
}

// nameIn is the path of a file in a directory, as it is spelled or, behind links outside of the directory, as it is
// reached.
func nameIn(dir, file string) (name string, inside bool) {
	for _, resolve := range []func(string) (string, error){filepath.Abs, resolved} {
		top, err := resolve(dir)
		if err != nil {
			return "", false
		}
		above, err := resolve(filepath.Dir(file))
		if err != nil {
			return "", false
		}
		if name, err = filepath.Rel(top, filepath.Join(above, filepath.Base(file))); err == nil &&
			filepath.IsLocal(name) {
			return filepath.ToSlash(name), true
		}
	}
	return "", false
}

// resolved is the absolute path of a directory without links.
func resolved(dir string) (string, error) {
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return "", err
	}
	return filepath.Abs(dir)
}
