// Package objects reads Kubernetes objects from YAML, as they are, without a schema.
package objects

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/json"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// Object is one Kubernetes object.
type Object = unstructured.Unstructured

// Located is an object and the file it was read from, relative to the repository.
type Located struct {
	File string
	*Object
}

// Read returns the objects of a YAML stream, in order. A document that is no object is left out.
func Read(data []byte) ([]*Object, error) {
	var read []*Object
	documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return read, nil
		}
		if err != nil {
			return nil, err
		}
		object, err := parse(document)
		if err != nil {
			return nil, err
		}
		if object.GetKind() != "" && object.GetAPIVersion() != "" {
			read = append(read, object)
		}
	}
}

// parse decodes one document as the API machinery does; a document that is no mapping is an empty object.
func parse(document []byte) (*Object, error) {
	encoded, err := yaml.YAMLToJSON(document)
	if err != nil {
		return nil, err
	}
	var content any
	if err := json.Unmarshal(encoded, &content); err != nil {
		return nil, err
	}
	mapping, _ := content.(map[string]any)
	return &Object{Object: mapping}, nil
}

// ReadFile reads the objects of one file.
func ReadFile(file string) ([]*Object, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	read, err := Read(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return read, nil
}

// ReadDir reads the objects of every YAML file under a directory, in path order.
// Files that are not YAML (templates) are left out.
func ReadDir(root string) ([]Located, error) {
	var found []Located
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && entry.Name() == ".git" {
			return filepath.SkipDir
		}
		if !entry.Type().IsRegular() || !isYAML(file) {
			return nil
		}
		read, err := ReadFile(file)
		if err != nil {
			return nil
		}
		relative, err := filepath.Rel(root, file)
		for _, object := range read {
			found = append(found, Located{File: filepath.ToSlash(relative), Object: object})
		}
		return err
	})
	return found, err
}

// isYAML tells a YAML file by its name.
func isYAML(file string) bool {
	return strings.HasSuffix(file, ".yaml") || strings.HasSuffix(file, ".yml")
}

// Write encodes objects as a YAML stream.
func Write(list []*Object) ([]byte, error) {
	var out bytes.Buffer
	for _, object := range list {
		encoded, err := yaml.Marshal(object.Object)
		if err != nil {
			return nil, err
		}
		out.WriteString("---\n")
		out.Write(encoded)
	}
	return out.Bytes(), nil
}

// Group returns the API group of an object, without the version.
func Group(object *Object) string {
	return object.GroupVersionKind().Group
}

// Name identifies an object whatever its API version, as Flux does: kind.group/namespace/name.
func Name(object *Object) string {
	kind := object.GetKind()
	if group := Group(object); group != "" {
		kind += "." + group
	}
	if object.GetNamespace() == "" {
		return kind + "/" + object.GetName()
	}
	return kind + "/" + object.GetNamespace() + "/" + object.GetName()
}

// Find returns the first object of a kind and name, or nil.
func Find(list []*Object, group, kind, name string) *Object {
	for _, object := range list {
		if Group(object) == group && object.GetKind() == kind && object.GetName() == name {
			return object
		}
	}
	return nil
}
