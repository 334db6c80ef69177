package krm

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/kyaml/fn/framework"
	"sigs.k8s.io/kustomize/kyaml/kio"
	"sigs.k8s.io/kustomize/kyaml/kio/kioutil"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/limit"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/plainyaml"
	"migrate-to-flux-operator/fn/reason"
)

// runCut leaves what is around the items to the framework, and passes the items on as the bytes that they are, but for
// those that the migration edits. It comes to what runParsed comes to: an item whose bytes say that it is sound, and
// what it is, gets parsed when the migration looks into it, any other one at once, and where one of these is not sound
// on its own runParsed has its say.
func runCut(l rawList, out io.Writer) error {
	c := &cutItems{rawList: l, texts: map[int][]byte{}}
	for number := range c.items { // before anything parses it
		if err := limit.CheckValues(c.bytes(number)); err != nil {
			return fmt.Errorf("item %d of the list has %w: nothing was changed", number, err)
		}
	}
	if !c.scan() {
		return runParsed(l.raw, out)
	}
	written, err := execute(l.rest, func(rl *framework.ResourceList) error { return process(rl, c) })
	head, tail, ok := bytes.Cut(written, emptyItems)
	if !ok {
		return err
	}
	for _, part := range c.parts(head, tail) {
		if _, err := out.Write(part); err != nil {
			return err
		}
	}
	return err
}

// cutItems are the items of a list that was cut.
type cutItems struct {
	rawList
	set *object.Set
	// broken is the first item that matters and cannot be read.
	broken error
	// current and legacy tell which of the two kinds of annotations say where an item comes from, as far as any do.
	current, legacy, known bool
	// texts take the place of items, by their number; added are the new ones.
	texts map[int][]byte
	added []byte
}

// scan reads what each item is. It gives up where the framework would have something to say or to change.
func (c *cutItems) scan() bool {
	objects := make([]*object.Object, len(c.items))
	for i := range c.items {
		o, annotations, ok := c.object(i)
		if !ok || !c.consistent(annotations) {
			return false
		}
		objects[i] = o
	}
	c.set = object.NewSet(objects)
	return true
}

// object is an item as an object, with its annotations that say where it comes from.
func (c *cutItems) object(number int) (o *object.Object, annotations map[string]string, ok bool) {
	content, sound := c.content(number)
	annotations, whole := carriedBy(content)
	if !sound || !whole {
		return c.parsed(number)
	}
	file, index := place(annotations)
	o = object.Lazy(object.IDOf(content), func() []byte { return itemText(c.bytes(number)) }, file, index)
	c.check(o, number)
	return o, annotations, true
}

// content is what an item that is sound to every parser holds.
func (c *cutItems) content(number int) (content map[string]any, sound bool) {
	if content, sound = plainyaml.Read(withoutDash(c.bytes(number))); sound {
		return content, true
	}
	node := c.node(number)
	return content, node != nil && node.Decode(&content) == nil
}

// node is an item as the parser reads it by itself; nil where it is no mapping, or costs too much to look at.
func (c *cutItems) node(number int) *yaml.Node {
	var document yaml.Node
	if yaml.Unmarshal(c.bytes(number), &document) != nil || len(document.Content) != 1 ||
		len(document.Content[0].Content) != 1 ||
		document.Content[0].Content[0].Kind != yaml.MappingNode || limit.CheckNode(&document) != nil {
		return nil
	}
	return document.Content[0].Content[0]
}

// carriedBy are the annotations of an item that say where it comes from. It is not whole where the framework would
// change the item, or refuse it: what names the item is no text, or annotations are empty.
func carriedBy(content map[string]any) (carried map[string]string, whole bool) {
	metadata, isMap := content["metadata"].(map[string]any)
	if content["metadata"] != nil && !isMap || !areTexts(content, "apiVersion", "kind") ||
		!areTexts(metadata, "name", "namespace") {
		return nil, false
	}
	annotations, isMap := metadata["annotations"].(map[string]any)
	if _, has := metadata["annotations"]; has && (!isMap || len(annotations) == 0) {
		return nil, false
	}
	carried = map[string]string{}
	for key := range annotations {
		text, isText := annotations[key].(string)
		if !isText || carries(key) && text == "" {
			return nil, false
		}
		if carries(key) {
			carried[key] = text
		}
	}
	return carried, true
}

// areTexts reports whether fields hold texts, in every version of YAML, as far as they are there.
func areTexts(of map[string]any, fields ...string) bool {
	return !slices.ContainsFunc(fields, func(field string) bool {
		value, has := of[field]
		text, isText := value.(string)
		return has && !(isText && plainyaml.IsText(text))
	})
}

// bytes are those of an item from its dash on.
func (c *cutItems) bytes(number int) []byte {
	at := c.items[number]
	return c.raw[at.dash-c.dash : at.end]
}

// parsed is object for an item that has to be parsed to be known.
func (c *cutItems) parsed(number int) (o *object.Object, annotations map[string]string, ok bool) {
	parsed := c.node(number)
	if parsed == nil {
		return nil, nil, false
	}
	node := kyaml.NewRNode(parsed)
	if !untouched(node) {
		return nil, nil, false
	}
	annotations = kioutil.GetInternalAnnotations(node)
	o, err := objectOf(node, number, annotations)
	c.fail(err)
	return o, annotations, true
}

// untouched reports whether the framework leaves an item as it is: it does not where annotations are in the way of its
// own, or empty.
func untouched(node *kyaml.RNode) bool {
	through := []*kyaml.RNode{node.Copy()}
	annotations, err := reason.With(kio.PreprocessResourcesForInternalAnnotationMigration(through))
	if err != nil || kio.ReconcileInternalAnnotations(through, annotations) != nil ||
		kyaml.ClearEmptyAnnotations(through[0]) != nil {
		return false
	}
	before, err := node.String()
	after, failed := through[0].String()
	return err == nil && failed == nil && before == after
}

// check reads an object that decides about others.
func (c *cutItems) check(o *object.Object, number int) { c.fail(checked(o, number)) }

// fail keeps the first error.
func (c *cutItems) fail(err error) {
	if c.broken == nil {
		c.broken = err
	}
}

// carriers are the annotations that say where an item comes from, in their current and in their legacy form.
var carriers = [][2]string{
	{kioutil.PathAnnotation, legacyPath},
	{kioutil.IndexAnnotation, legacyIndex},
	{kioutil.IdAnnotation, "config.k8s.io/id"},
}

// carries reports whether an annotation says where an item comes from, or is the framework's own.
func carries(annotation string) bool {
	for _, form := range carriers {
		if annotation == form[0] || annotation == form[1] {
			return true
		}
	}
	return annotation == kioutil.InternalAnnotationsMigrationResourceIDAnnotation
}

// consistent reports whether the framework would leave the annotations of an item alone: in all items they are of the
// same form, or of both forms and equal. It corrects, or refuses, what is not.
func (c *cutItems) consistent(annotations map[string]string) bool {
	if _, own := annotations[kioutil.InternalAnnotationsMigrationResourceIDAnnotation]; own {
		return false
	}
	current, legacy, equal := false, false, true
	for _, form := range carriers {
		now, isNow := annotations[form[0]]
		old, isOld := annotations[form[1]]
		if isNow && now == "" || isOld && old == "" {
			return false
		}
		current, legacy, equal = current || isNow, legacy || isOld, equal && now == old
	}
	if !current && !legacy {
		return true
	}
	if !c.known {
		c.current, c.legacy, c.known = current, legacy, true
	}
	return current == c.current && legacy == c.legacy && (equal || current != legacy)
}

// read makes the set of objects.
func (c *cutItems) read() (*object.Set, error) { return c.set, c.broken }

// write prints what was edited and what is new.
func (c *cutItems) write(set *object.Set) error {
	for i, o := range set.Input() {
		if set.Removed(o) {
			c.texts[i] = nil
		} else if o.Changed() {
			node, err := o.Node()
			if err != nil {
				return err
			}
			if c.texts[i], err = c.print(node); err != nil {
				return err
			}
		}
	}
	for _, o := range set.Added() {
		node, err := added(o, c.current, c.legacy)
		if err != nil {
			return err
		}
		text, err := c.print(node)
		if err != nil {
			return err
		}
		c.added = append(c.added, text...)
	}
	return nil
}

// print is an object as an item of the list.
func (c *cutItems) print(node *kyaml.RNode) ([]byte, error) {
	text, err := node.String()
	if err != nil {
		return nil, err
	}
	var out strings.Builder
	start := strings.Repeat(" ", c.dash) + "- "
	for line := range strings.Lines(text) {
		if line != "\n" {
			out.WriteString(start)
		}
		out.WriteString(line)
		start = strings.Repeat(" ", c.dash+2)
	}
	return []byte(out.String()), nil
}

// parts are the list as it is written: what is around the items, and the items in their order.
func (c *cutItems) parts(head, tail []byte) [][]byte {
	if len(c.texts) == len(c.items) && len(c.added) == 0 && c.emptied() {
		return [][]byte{head, emptyItems, tail}
	}
	parts := [][]byte{head, itemsKey, []byte("\n")}
	from := c.items[0].start
	for i, item := range c.items {
		text, changed := c.texts[i]
		switch {
		case changed && text == nil:
			parts, from = append(parts, c.raw[from:item.start]), item.end
		case changed:
			parts, from = append(parts, c.raw[from:item.dash-c.dash], text), item.end
		}
	}
	return append(parts, c.raw[from:c.items[len(c.items)-1].end], c.added, tail)
}

// emptied reports whether all items are gone.
func (c *cutItems) emptied() bool {
	for _, text := range c.texts {
		if text != nil {
			return false
		}
	}
	return true
}
