package live

import (
	"context"
	"path/filepath"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"migrate-to-flux-operator/e2e/objects"
)

// fluxNamespace is where Flux is.
const fluxNamespace = "flux-system"

// The resources that the replay reads and writes by name.
var (
	deployments     = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	definitions     = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
	kustomizations  = schema.GroupVersionResource{Group: "kustomize.toolkit.fluxcd.io", Version: "v1", Resource: "kustomizations"}
	gitRepositories = schema.GroupVersionResource{Group: "source.toolkit.fluxcd.io", Version: "v1", Resource: "gitrepositories"}
	ociRepositories = schema.GroupVersionResource{Group: "source.toolkit.fluxcd.io", Version: "v1", Resource: "ocirepositories"}
	helmReleases    = schema.GroupVersionResource{Group: "helm.toolkit.fluxcd.io", Version: "v2", Resource: "helmreleases"}
	fluxInstances   = schema.GroupVersionResource{Group: "fluxcd.controlplane.io", Version: "v1", Resource: "fluxinstances"}
)

// The names that deploy gives by itself: of the HelmRelease of the operator, its source, its Deployment and its
// program, and of the release of the FluxInstance.
const (
	operatorName = "flux-operator"
	instanceName = "flux-instance"
)

// wait is a pause between two looks at the cluster.
const wait = 250 * time.Millisecond

// epoch is when everything happens that the test says has happened.
const epoch = "2025-01-01T00:00:00Z"

// kubelet does on the cluster what nodes do: each Deployment is rolled out, and the operator runs as long as its
// Deployment is there.
type kubelet struct {
	*cluster
	*internet
	operator atomic.Pointer[process]
}

// run works until the test ends.
func (k *kubelet) run(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	var ended sync.WaitGroup
	ended.Go(func() {
		for ctx.Err() == nil {
			k.work(ctx, t)
			sleep(ctx, wait)
		}
	})
	t.Cleanup(func() { stop(); ended.Wait() })
}

// work looks at the cluster once. What fails is tried again with the next look.
func (k *kubelet) work(ctx context.Context, t *testing.T) {
	all, err := k.dynamic.Resource(deployments).List(ctx, metav1.ListOptions{})
	if err != nil {
		return
	}
	runs := false
	for _, one := range all.Items {
		k.report(ctx, &one, rolledOut(&one))
		runs = runs || one.GetName() == operatorName && one.GetNamespace() == fluxNamespace && one.GetDeletionTimestamp() == nil
	}
	switch running := k.operator.Load(); {
	case runs && (running == nil || !running.runs()): // it ends where its CRDs are not served yet
		k.operator.Store(k.startController(t, operatorName, k.environment(),
			"--storage-path="+filepath.Join(k.operatorModule, "config/data"), "--web-server-port=0", "--requeue-dependency=1s"))
	case !runs && running != nil:
		running.stop()
		k.operator.Store(nil)
	}
}

// report sets the status of a Deployment, where it is not that already.
func (k *kubelet) report(ctx context.Context, object *objects.Object, status map[string]any) {
	current, _, _ := unstructured.NestedMap(object.Object, "status")
	for field, value := range status {
		if !reflect.DeepEqual(current[field], value) {
			_ = k.patch(ctx, deployments, object.GetNamespace(), object.GetName(), map[string]any{"status": status}, "status")
			return
		}
	}
}

// rolledOut is the status of a Deployment all of whose pods run.
func rolledOut(deployment *objects.Object) map[string]any {
	replicas, found, _ := unstructured.NestedInt64(deployment.Object, "spec", "replicas")
	if !found {
		replicas = 1
	}
	condition := func(kind, reason string) any {
		return map[string]any{"type": kind, "status": "True", "reason": reason, "message": "stand-in", "lastTransitionTime": epoch, "lastUpdateTime": epoch}
	}
	return map[string]any{
		"observedGeneration": deployment.GetGeneration(), "replicas": replicas, "updatedReplicas": replicas,
		"readyReplicas": replicas, "availableReplicas": replicas,
		"conditions": []any{condition("Available", "MinimumReplicasAvailable"), condition("Progressing", "NewReplicaSetAvailable")},
	}
}
