package flux

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	locks "sync" // the package has a type sync, of a FluxInstance

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/reason"
)

// controller is the manifest of a component: its objects as JSON, one of which is the Deployment.
type controller struct {
	objects    []json.RawMessage
	deployment int
	image      string // of the Deployment's only container: fluxcd/source-controller:v1.7.4
}

// readControllers keeps the manifests that were read, by release and name: one run renders the same ones several times.
var readControllers locks.Map

// controllerOf reads the manifest of a component.
func controllerOf(version, component string) (*controller, error) {
	key := version + "/" + component
	if known, ok := readControllers.Load(key); ok {
		return known.(*controller), nil
	}
	content, err := manifest(version, component)
	if err != nil {
		return nil, err
	}
	c := &controller{}
	for _, text := range bytes.Split(content, []byte("\n---\n")) {
		if err := c.read(text); err != nil {
			return nil, fmt.Errorf("manifest of %s: %w", component, err)
		}
	}
	readControllers.Store(key, c)
	return c, nil
}

// read takes one object of the manifest.
func (c *controller) read(text []byte) error {
	content, err := reason.With(yaml.YAMLToJSON(text))
	if err != nil {
		return err
	}
	var object struct {
		Kind string `json:"kind"`
		Spec struct {
			Template struct {
				Spec struct {
					Containers []struct {
						Image string `json:"image"`
					} `json:"containers"`
				} `json:"spec"`
			} `json:"template"`
		} `json:"spec"`
	}
	if err := reason.Of(json.Unmarshal(content, &object)); err != nil {
		return err
	}
	if object.Kind == "Deployment" {
		c.deployment, c.image = len(c.objects), object.Spec.Template.Spec.Containers[0].Image
	}
	c.objects = append(c.objects, content)
	return nil
}

// with is the manifest, as YAML, after operations on the Deployment. kustomize would take a JSON patch for them, but
// reads and prints the Deployment anew for each, which costs more than all the rest of a build.
func (c *controller) with(ops []op) ([]byte, error) {
	content, err := json.Marshal(ops)
	if err != nil {
		return nil, err
	}
	patch, err := reason.With(jsonpatch.DecodePatch(content))
	if err != nil {
		return nil, err
	}
	deployment, err := reason.With(patch.Apply(c.objects[c.deployment]))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	for i, object := range c.objects {
		if i == c.deployment {
			object = deployment
		}
		out.WriteString("---\n")
		out.Write(object)
		out.WriteByte('\n')
	}
	return out.Bytes(), nil
}

// imageOp gives a controller the registry, and the tag that its release ships. The tag is stated because the v2.2.3
// manifests, which were taken later, carry source-controller v1.2.5 where the release has v1.2.4.
func (o Options) imageOp(component string, c *controller) op {
	name, tag, _ := strings.Cut(c.image, ":")
	if shipped := Controllers(o.Version)[component]; shipped != "" && !o.manifestTags {
		tag = shipped
	}
	return op{Op: "replace", Path: container + "/image", Value: o.Registry + strings.TrimPrefix(name, "fluxcd") + ":" +
		tag}
}
