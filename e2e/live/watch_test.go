package live

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"

	"migrate-to-flux-operator/e2e/objects"
)

// deletions is what the API server's own watch says was deleted, or has begun to go: each object once, by name and UID,
// in the order of time.
type deletions struct {
	mutex sync.Mutex
	names []string
	seen  map[string]bool
}

// note counts an event.
func (d *deletions) note(event watch.Event) {
	object, ok := event.Object.(*unstructured.Unstructured)
	if !ok || event.Type != watch.Deleted && object.GetDeletionTimestamp() == nil {
		return
	}
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if uid := string(object.GetUID()); !d.seen[uid] {
		d.seen[uid] = true
		d.names = append(d.names, objects.Name(object))
	}
}

// all returns the names of what was deleted so far.
func (d *deletions) all() []string {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	return slices.Clone(d.names)
}

// watchDeletions watches every resource that the API server serves, new ones too, until the test ends.
func (c *cluster) watchDeletions(t *testing.T) *deletions {
	t.Helper()
	seen := &deletions{seen: map[string]bool{}}
	ctx, stop := context.WithCancel(context.Background())
	var ended sync.WaitGroup
	ended.Go(func() {
		watched := map[schema.GroupVersionResource]bool{}
		for ctx.Err() == nil {
			for _, resource := range c.resources() {
				if !watched[resource] {
					watched[resource] = true
					ended.Go(func() { c.watchResource(ctx, resource, seen) })
				}
			}
			sleep(ctx, 3*time.Second)
		}
	})
	t.Cleanup(func() { stop(); ended.Wait() })
	return seen
}

// watchResource watches one resource. A watch that ends begins again where it ended; where the API server does not know
// that place any more, what went in between cannot be told, and the watch goes on from now.
func (c *cluster) watchResource(ctx context.Context, resource schema.GroupVersionResource, seen *deletions) {
	version := ""
	for ; ctx.Err() == nil; sleep(ctx, wait) {
		if version == "" {
			listed, err := c.dynamic.Resource(resource).List(ctx, metav1.ListOptions{})
			if err != nil {
				continue
			}
			version = listed.GetResourceVersion()
		}
		events, err := c.dynamic.Resource(resource).Watch(ctx, metav1.ListOptions{ResourceVersion: version, AllowWatchBookmarks: true})
		if err != nil {
			version = ""
			continue
		}
		for event := range events.ResultChan() {
			if event.Type == watch.Error {
				version = ""
				break
			}
			if object, ok := event.Object.(*unstructured.Unstructured); ok {
				version = object.GetResourceVersion()
			}
			if event.Type != watch.Bookmark {
				seen.note(event)
			}
		}
		events.Stop()
	}
}

// sleep waits, unless the work is over.
func sleep(ctx context.Context, pause time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(pause):
	}
}

// resources are those that can be listed and deleted, but for what the cluster writes by itself.
func (c *cluster) resources() []schema.GroupVersionResource {
	served, _ := c.discovery.ServerPreferredResources() // what is broken for a moment is there with the next look
	var found []schema.GroupVersionResource
	for _, group := range served {
		version, err := schema.ParseGroupVersion(group.GroupVersion)
		if err != nil {
			continue
		}
		for _, resource := range group.APIResources {
			if slices.Contains(resource.Verbs, "list") && slices.Contains(resource.Verbs, "delete") && !isNoise(resource.Name) {
				found = append(found, version.WithResource(resource.Name))
			}
		}
	}
	return found
}

// isNoise tells the resources that the cluster writes by itself.
func isNoise(resource string) bool {
	return slices.Contains([]string{"events", "leases", "apiservices", "controllerrevisions", "ipaddresses"}, resource)
}

// isHistory tells Helm's own history of releases, which Helm prunes by itself.
func isHistory(name string) bool {
	return strings.HasPrefix(name, "Secret/flux-system/sh.helm.release.v1.")
}
