package flux

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	locks "sync" // the package has a type sync, of a FluxInstance

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
)

// memo keeps what kustomize built. The same files build the same objects, and one run asks for the same ones several
// times: the release before and after patches, the FluxInstance before and after each field that is tried.
type memo struct {
	lock  locks.Mutex
	built map[[sha256.Size]byte][]*kyaml.RNode
}

// maxBuilt bounds what a memo keeps: about 50 objects each.
const maxBuilt = 100

// builds is what was built so far in this process.
var builds = memo{built: map[[sha256.Size]byte][]*kyaml.RNode{}}

// build returns copies of what the files build, with build's help if it was not asked for before.
func (m *memo) build(f files, build func(files) ([]*kyaml.RNode, error)) ([]*kyaml.RNode, error) {
	key := f.digest()
	m.lock.Lock()
	known, found := m.built[key]
	m.lock.Unlock()
	if found {
		return copies(known), nil
	}
	objects, err := build(f)
	if err != nil {
		return nil, err
	}
	m.lock.Lock()
	defer m.lock.Unlock()
	if len(m.built) >= maxBuilt {
		clear(m.built)
	}
	m.built[key] = copies(objects)
	return objects, nil
}

// digest tells trees of files apart.
func (f files) digest() (digest [sha256.Size]byte) {
	hash := sha256.New()
	for _, path := range slices.Sorted(maps.Keys(f)) {
		fmt.Fprintf(hash, "%q %d\n", path, len(f[path]))
		hash.Write(f[path])
	}
	hash.Sum(digest[:0])
	return digest
}

func copies(objects []*kyaml.RNode) []*kyaml.RNode {
	all := make([]*kyaml.RNode, len(objects))
	for i, o := range objects {
		all[i] = o.Copy()
	}
	return all
}
