package krm

import (
	"fmt"
	"strconv"

	"sigs.k8s.io/kustomize/kyaml/fn/framework"
	"sigs.k8s.io/kustomize/kyaml/kio/kioutil"
	"sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/reason"
)

// parsedItems are items that the framework parsed. Each object's node is written back as it is where nothing changed.
type parsedItems struct {
	rl    *framework.ResourceList
	nodes map[*object.Object]*yaml.RNode
}

// read makes the set of objects.
func (p *parsedItems) read() (*object.Set, error) {
	p.nodes = make(map[*object.Object]*yaml.RNode, len(p.rl.Items))
	objects := make([]*object.Object, 0, len(p.rl.Items))
	for i, node := range p.rl.Items {
		o, err := objectOf(node, i, node.GetAnnotations())
		if err != nil {
			return nil, err
		}
		objects = append(objects, o)
		p.nodes[o] = node
	}
	return object.NewSet(objects), nil
}

// write keeps the order of the nodes, with the edited ones in their place and the new ones at the end.
func (p *parsedItems) write(set *object.Set) error {
	var nodes []*yaml.RNode
	for _, o := range set.All() {
		node := p.nodes[o]
		if o.Changed() {
			edited, err := o.Node()
			if err != nil {
				return err
			}
			node = edited
		}
		nodes = append(nodes, node)
	}
	for _, o := range set.Added() {
		node, err := added(o, true, true)
		if err != nil {
			return err
		}
		nodes = append(nodes, node)
	}
	p.rl.Items = nodes
	return nil
}

// objectOf makes an object of a node. What YAML's older parser refuses, as it does numbers that JSON does not have,
// goes by what the node says.
func objectOf(node *yaml.RNode, number int, annotations map[string]string) (*object.Object, error) {
	text, err := node.String()
	if err != nil {
		return nil, fmt.Errorf("item %d: %w", number, err)
	}
	file, index := place(annotations)
	id := object.ID{APIVersion: node.GetApiVersion(), Kind: node.GetKind(), Namespace: node.GetNamespace(),
		Name: node.GetName()}
	if o, err := object.Parse(text, file, index); err == nil {
		id = o.ID
	}
	o := object.New(id, text, file, index)
	return o, checked(o, number)
}

// checked is what is wrong with an object that decides about others. Whether others can be read shows when they are
// looked into.
func checked(o *object.Object, number int) error {
	if !classic.Decides(o) {
		return nil
	}
	if err := o.Check(); err != nil {
		return fmt.Errorf("item %d: %w", number, err)
	}
	return nil
}

// legacyPath and legacyIndex are what the annotations were called before kyaml 0.13; kpt still writes and reads them.
const (
	legacyPath  = "config.kubernetes.io/path"
	legacyIndex = "config.kubernetes.io/index"
)

// place reads the path and index that the item came from.
func place(annotations map[string]string) (string, int) {
	file, index := annotations[kioutil.PathAnnotation], annotations[kioutil.IndexAnnotation]
	if file == "" {
		file, index = annotations[legacyPath], annotations[legacyIndex]
	}
	n, err := strconv.Atoi(index)
	if err != nil || file == "" {
		n = 0
	}
	return file, n
}

// added is a new object with the annotations that say which file it goes to, in the current and in the legacy form.
func added(o *object.Object, current, legacy bool) (*yaml.RNode, error) {
	node, err := o.Node()
	if err != nil || o.File == "" {
		return node, err
	}
	index := strconv.Itoa(o.Index)
	var annotations [][2]string
	if current {
		annotations = append(annotations, [2]string{kioutil.IndexAnnotation, index},
			[2]string{kioutil.PathAnnotation, o.File})
	}
	if legacy {
		annotations = append(annotations, [2]string{legacyIndex, index}, [2]string{legacyPath, o.File})
	}
	for _, a := range annotations {
		if err := reason.Of(node.PipeE(yaml.SetAnnotation(a[0], a[1]))); err != nil {
			return nil, err
		}
	}
	return node, nil
}
