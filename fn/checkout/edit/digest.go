package edit

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"sort"

	"go.yaml.in/yaml/v3"
)

// digest stands for a value: two nodes have the same digest when they mean the same, however they are written.
type digest [sha256.Size]byte

// pair is one key of a map with its value.
type pair struct{ key, value *yaml.Node }

// values computes digests and what aliases and merge keys stand for, each node once, so that aliases of aliases cost
// nothing.
type values struct {
	digests map[*yaml.Node]digest
	maps    map[*yaml.Node][]pair
	busy    map[*yaml.Node]bool
}

// newValues is an empty memory.
func newValues() *values {
	return &values{map[*yaml.Node]digest{}, map[*yaml.Node][]pair{}, map[*yaml.Node]bool{}}
}

// errCycle is a value that holds itself.
var errCycle = errors.New("an alias points into its own anchor")

// of is the digest of a node.
func (v *values) of(n *yaml.Node) (digest, error) {
	n = target(n)
	if d, ok := v.digests[n]; ok {
		return d, nil
	}
	if v.busy[n] {
		return digest{}, errCycle
	}
	v.busy[n] = true
	defer delete(v.busy, n)
	h := sha256.New()
	if err := v.write(h, n); err != nil {
		return digest{}, err
	}
	d := digest(h.Sum(nil))
	v.digests[n] = d
	return d, nil
}

// write writes what a node means.
func (v *values) write(h io.Writer, n *yaml.Node) error {
	switch n.Kind {
	case yaml.MappingNode:
		return v.writeMap(h, n)
	case yaml.SequenceNode:
		fmt.Fprintf(h, "seq %d\n", len(n.Content))
		return v.writeAll(h, n.Content)
	case yaml.DocumentNode:
		return v.writeAll(h, n.Content)
	}
	return writeScalar(h, n)
}

// writeAll writes the digests of nodes in order.
func (v *values) writeAll(h io.Writer, nodes []*yaml.Node) error {
	for _, n := range nodes {
		d, err := v.of(n)
		if err != nil {
			return err
		}
		h.Write(d[:])
	}
	return nil
}

// writeMap writes the digests of a map's pairs in an order of their own.
func (v *values) writeMap(h io.Writer, n *yaml.Node) error {
	pairs, err := v.pairs(n)
	if err != nil {
		return err
	}
	all := make([]string, 0, len(pairs))
	for _, p := range pairs {
		key, err := v.of(p.key)
		if err != nil {
			return err
		}
		value, err := v.of(p.value)
		if err != nil {
			return err
		}
		all = append(all, string(key[:])+string(value[:]))
	}
	sort.Strings(all)
	fmt.Fprintf(h, "map %d\n", len(all))
	for _, s := range all {
		io.WriteString(h, s)
	}
	return nil
}

// writeScalar writes what a scalar means: 0x10 and 16 are the same, 1 and "1" are not.
func writeScalar(h io.Writer, n *yaml.Node) error {
	tag := n.ShortTag()
	switch tag {
	case "!!int", "!!float", "!!bool", "!!null", "!!timestamp":
		var value any
		if n.Decode(&value) == nil {
			_, err := fmt.Fprintf(h, "%s %v", tag, value)
			return err
		}
	}
	_, err := fmt.Fprintf(h, "%s %q", tag, n.Value)
	return err
}

// pairs is what a map holds: of doubled keys the last one counts, and what merge keys bring in comes after.
func (v *values) pairs(n *yaml.Node) ([]pair, error) {
	if p, ok := v.maps[n]; ok {
		return p, nil
	}
	last := map[digest]int{}
	var out []pair
	var merges []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		if isMerge(n.Content[i]) {
			merges = append(merges, n.Content[i+1])
			continue
		}
		d, err := v.of(n.Content[i])
		if err != nil {
			return nil, err
		}
		p := pair{n.Content[i], n.Content[i+1]}
		if at, doubled := last[d]; doubled {
			out[at] = p
			continue
		}
		last[d] = len(out)
		out = append(out, p)
	}
	for _, m := range merges {
		if err := v.merge(&out, last, n, m); err != nil {
			return nil, err
		}
	}
	v.maps[n] = out
	return out, nil
}

// merge adds what the value of a merge key brings into a map.
func (v *values) merge(out *[]pair, have map[digest]int, into, from *yaml.Node) error {
	from = target(from)
	if from.Kind == yaml.SequenceNode {
		for _, item := range from.Content {
			if target(item).Kind != yaml.MappingNode {
				return errors.New("a merge key holds something else than maps")
			}
			if err := v.merge(out, have, into, item); err != nil {
				return err
			}
		}
		return nil
	}
	if from.Kind != yaml.MappingNode {
		return errors.New("a merge key holds something else than maps")
	}
	if v.busy[from] && v.maps[from] == nil || from == into {
		return errCycle
	}
	pairs, err := v.pairs(from)
	if err != nil {
		return err
	}
	for _, p := range pairs {
		d, err := v.of(p.key)
		if err != nil {
			return err
		}
		if _, ok := have[d]; !ok {
			have[d] = len(*out)
			*out = append(*out, p)
		}
	}
	return nil
}

// target is the node that an alias stands for, or the node itself.
func target(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// isMerge reports whether a key is a merge key.
func isMerge(key *yaml.Node) bool { return key.Kind == yaml.ScalarNode && key.ShortTag() == "!!merge" }
