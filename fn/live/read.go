package live

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/limit"
	"migrate-to-flux-operator/fn/object"
)

// Snapshot is what kubectl printed of one cluster.
type Snapshot struct {
	// Name is the file that it was read from.
	Name    string
	Objects []*object.Object
	// Names are the Secrets and ConfigMaps, of which nothing else is kept.
	Names []object.ID
	// Taken is when it was printed; the zero time where it does not say so.
	Taken time.Time
	// Context is the context of kubectl that it was printed for, as it says.
	Context string
	// listed is what it says to have listed to the end.
	listed map[string]bool
}

// Fresh is how old a snapshot may be, without a warning.
const Fresh = time.Hour

// Old says why a snapshot may not show what is live now, empty where it does.
func (s Snapshot) Old(now time.Time) string {
	switch age := now.Sub(s.Taken); {
	case s.Taken.IsZero():
		return "it does not say when it was taken, so it is cut off, or the script did not make it: take a new one"
	case age > Fresh:
		return fmt.Sprintf("it was taken %s, more than an hour ago: take a new one", s.Taken.Format(time.RFC3339))
	case age < -Fresh:
		return fmt.Sprintf("it was taken %s, which is not yet: look at the clocks", s.Taken.Format(time.RFC3339))
	}
	return ""
}

// taken is when a text says that it was printed: the earliest time of several.
func taken(text string) time.Time {
	var first time.Time
	for _, at := range marked(text, takenMark) {
		if when, err := time.Parse(time.RFC3339, at); err == nil && (first.IsZero() || when.Before(first)) {
			first = when
		}
	}
	return first.UTC()
}

// marked are what a text says behind a mark, each on a line.
func marked(text, mark string) []string {
	var all []string
	for line := range strings.Lines(text) {
		if said, isMark := strings.CutPrefix(line, mark); isMark {
			all = append(all, strings.TrimSpace(said))
		}
	}
	return all
}

// Read reads what kubectl printed: objects and Lists of them, in one or several documents. Of Secrets and ConfigMaps
// it keeps the names.
//
// It fails on a document that is not a Kubernetes object, and on more than one cluster.
func Read(text string) (Snapshot, error) {
	snapshot := Snapshot{Taken: taken(text), listed: map[string]bool{}}
	contexts := marked(text, contextMark)
	if len(contexts) > 1 {
		return snapshot, errors.New("it was taken of several contexts: give each cluster a file of its own, and " +
			"--live once for each")
	}
	snapshot.Context = strings.Join(contexts, "")
	for _, what := range marked(text, listedMark) {
		snapshot.listed[what] = true
	}
	all, err := objectsOf(text)
	if err == nil {
		err = once(all)
	}
	for _, o := range all {
		if isNamed(o) {
			snapshot.Names = append(snapshot.Names, o.ID)
		} else {
			snapshot.Objects = append(snapshot.Objects, o)
		}
	}
	return snapshot, err
}

// isNamed reports whether nothing but the name of an object is kept.
func isNamed(o *object.Object) bool {
	return o.Group() == "" && (o.Kind == "Secret" || o.Kind == "ConfigMap")
}

// once fails where an object is there twice: no cluster has that.
func once(all []*object.Object) error {
	seen := map[string]bool{}
	for _, o := range all {
		key := o.Group() + "/" + o.ID.String() // whatever the version
		if seen[key] {
			return fmt.Errorf("it holds %s twice, as no cluster does: give each cluster a file of its own, and "+
				"--live once for each", o.ID)
		}
		seen[key] = true
	}
	return nil
}

// objectsOf are the objects of a text.
func objectsOf(text string) ([]*object.Object, error) {
	var all []*object.Object
	cut := documents(text)
	if len(cut) > limit.Documents {
		return nil, limit.ErrDocuments
	}
	for _, document := range cut {
		o, err := object.Parse(document, "", 0)
		if err != nil {
			return nil, err
		}
		if o.Kind == "" {
			return nil, errors.New("a document has no kind: it is not what kubectl prints with -o yaml")
		}
		objects, err := itemsOf(o)
		if err != nil {
			return nil, err
		}
		all = append(all, objects...)
	}
	if len(all) == 0 {
		return nil, errors.New("it holds no objects: kubectl could not read the cluster; see its messages, check the " +
			"context, and take the snapshot again")
	}
	return all, nil
}

// documents cuts a text at its --- lines, and where one output of kubectl follows another with nothing between them:
// each starts with its apiVersion, and nothing inside one stands in the first column under that key.
func documents(text string) []string {
	var all []string
	var at strings.Builder
	cut := func() {
		if strings.TrimSpace(at.String()) != "" {
			all = append(all, at.String())
		}
		at.Reset()
	}
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		marker := strings.TrimRight(line, " \r\n") == "---"
		if marker || strings.HasPrefix(line, "apiVersion:") || strings.HasPrefix(line, "{") {
			cut()
		}
		if !marker {
			at.WriteString(line)
		}
	}
	cut()
	return all
}

// itemsOf are the objects of a List, or the object itself.
func itemsOf(o *object.Object) ([]*object.Object, error) {
	items, isList := object.Get[[]any](o.Map(), "items")
	if !isList {
		return []*object.Object{o}, nil
	}
	var all []*object.Object
	for i, item := range items {
		text, err := yaml.Marshal(item)
		if err != nil {
			return nil, err
		}
		inner, err := object.Parse(string(text), "", i)
		if err != nil {
			return nil, fmt.Errorf("items[%d]: %w", i, err)
		}
		all = append(all, inner)
	}
	return all, nil
}
