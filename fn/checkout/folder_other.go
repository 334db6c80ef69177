//go:build !linux

package checkout

import "os"

// folder is an open directory. No link in it leads out of it.
type folder struct{ root *os.Root }

// openFolder opens a directory by its path.
func openFolder(path string) (folder, error) {
	root, err := os.OpenRoot(path)
	return folder{root}, err
}

// folder opens a directory in the folder.
func (f folder) folder(name string) (folder, error) {
	root, err := f.root.OpenRoot(name)
	return folder{root}, err
}

// file opens a file in the folder.
func (f folder) file(name string) (*os.File, error) { return f.root.Open(name) }

// close lets go of the folder.
func (f folder) close() { f.root.Close() }

// list lists the folder, by its path, since listing one that was opened from its parent looks at every file in it. Only names and
// kinds come from here.
func (f folder) list() ([]entry, error) {
	dir, err := os.Open(f.root.Name())
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	list, err := dir.ReadDir(-1)
	all := make([]entry, len(list))
	for i, e := range list {
		all[i] = entry{e.Name(), e.IsDir(), e.Type().IsRegular(), false}
	}
	return all, err
}
