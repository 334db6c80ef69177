package live

import (
	"context"
	"path/filepath"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"migrate-to-flux-operator/e2e/objects"
)

// fluxNamespace is where Flux is.
const fluxNamespace = "flux-system"

// The resources that the replay reads and writes by name.
var (
	deployments      = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	definitions      = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
	kustomizations   = schema.GroupVersionResource{Group: "kustomize.toolkit.fluxcd.io", Version: "v1", Resource: "kustomizations"}
	gitRepositories  = schema.GroupVersionResource{Group: "source.toolkit.fluxcd.io", Version: "v1", Resource: "gitrepositories"}
	ociRepositories  = schema.GroupVersionResource{Group: "source.toolkit.fluxcd.io", Version: "v1", Resource: "ocirepositories"}
	helmReleases     = schema.GroupVersionResource{Group: "helm.toolkit.fluxcd.io", Version: "v2", Resource: "helmreleases"}
	fluxInstances    = schema.GroupVersionResource{Group: "fluxcd.controlplane.io", Version: "v1", Resource: "fluxinstances"}
	operatorResource = "flux-operator" // the name of the HelmRelease, of its source and of the program
)

// standIns does on the cluster what the controllers do that are not there.
type standIns struct {
	*cluster
	*sources
	// installs says that the stand-in of the helm-controller installs the operator, once the HelmRelease is there.
	installs atomic.Bool

	operator     atomic.Pointer[process]
	operatorOnce sync.Once
}

// run works until the test ends.
func (s *standIns) run(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	var ended sync.WaitGroup
	ended.Go(func() {
		for ctx.Err() == nil {
			s.work(ctx, t)
			time.Sleep(wait)
		}
	})
	t.Cleanup(func() { stop(); ended.Wait() })
}

// work looks at the cluster once. What fails is tried again with the next look.
func (s *standIns) work(ctx context.Context, t *testing.T) {
	for _, deployment := range s.list(ctx, deployments) {
		s.report(ctx, deployments, &deployment, rolledOut(&deployment))
	}
	for _, resource := range []schema.GroupVersionResource{gitRepositories, ociRepositories} {
		for _, source := range s.list(ctx, resource) {
			s.report(ctx, resource, &source, s.status(source.GetName(), source.GetGeneration()))
		}
	}
	for _, release := range s.list(ctx, helmReleases) {
		if release.GetName() == operatorResource && s.installs.Load() && s.installOperator(ctx, t) == nil {
			s.report(ctx, helmReleases, &release, ready(release.GetGeneration(), nil))
		}
	}
}

// report sets an object's status, where it is not that already.
func (s *standIns) report(ctx context.Context, resource schema.GroupVersionResource, object *objects.Object, status map[string]any) {
	current, _, _ := unstructured.NestedMap(object.Object, "status")
	for field, value := range status {
		if !reflect.DeepEqual(current[field], value) {
			_ = s.patch(ctx, resource, object.GetNamespace(), object.GetName(), map[string]any{"status": status}, "status")
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

// installOperator does what the chart of the operator does: the CRDs, and the operator runs.
func (s *standIns) installOperator(ctx context.Context, t *testing.T) error {
	files, err := filepath.Glob(filepath.Join(s.operatorModule, "config/crd/bases/*.yaml"))
	if err != nil {
		return err
	}
	for _, file := range files {
		list, err := objects.ReadFile(file)
		if err != nil {
			return err
		}
		for _, object := range list {
			if s.get(ctx, definitions, "", object.GetName()) == nil {
				if err := s.apply(ctx, "helm", object); err != nil {
					return err
				}
			}
		}
	}
	s.operatorOnce.Do(func() {
		s.operator.Store(s.startController(t, operatorResource, s.server.URL, "--storage-path="+filepath.Join(s.operatorModule, "config/data"),
			"--web-server-port=0", "--requeue-dependency=1s"))
	})
	return nil
}
