package live

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"migrate-to-flux-operator/e2e/objects"
)

// token is the bearer token of the one user of a test's API server, who may do everything.
const token = "replay"

// cluster is an API server with its etcd, for one test.
type cluster struct {
	tools
	directory string
	address   string
	dynamic   dynamic.Interface
	discovery *discovery.DiscoveryClient
}

// startCluster starts etcd and the API server, and stops them at the end of the test.
func startCluster(t *testing.T, built tools) *cluster {
	t.Helper()
	c := &cluster{tools: built, directory: t.TempDir(), address: freeAddress(t)}
	c.writeKubeconfig(t)
	etcd := c.startEtcd(t)
	c.startServer(t, etcd)
	config := &rest.Config{
		Host: "https://" + c.address, BearerToken: token, QPS: -1,
		TLSClientConfig: rest.TLSClientConfig{Insecure: true},
		WarningHandler:  rest.NoWarnings{},
	}
	var err error
	if c.dynamic, err = dynamic.NewForConfig(config); err != nil {
		t.Fatal(err)
	}
	if c.discovery, err = discovery.NewDiscoveryClientForConfig(config); err != nil {
		t.Fatal(err)
	}
	eventually(t, 4*time.Minute, "the API server is ready", func() error {
		_, err := c.discovery.RESTClient().Get().AbsPath("/readyz").DoRaw(t.Context())
		return err
	})
	return c
}

// startEtcd starts etcd, which need not survive a power cut.
func (c *cluster) startEtcd(t *testing.T) string {
	t.Helper()
	client, peer := "http://"+freeAddress(t), "http://"+freeAddress(t)
	c.start(t, "etcd", nil, "--data-dir="+filepath.Join(c.directory, "etcd.data"), "--unsafe-no-fsync", "--log-level=error",
		"--listen-client-urls="+client, "--advertise-client-urls="+client,
		"--listen-peer-urls="+peer, "--initial-advertise-peer-urls="+peer, "--initial-cluster=default="+peer)
	return client
}

// startServer starts the API server. Without a kube-controller-manager there are no service accounts to admit.
func (c *cluster) startServer(t *testing.T, etcd string) {
	t.Helper()
	key, tokens := filepath.Join(c.directory, "sa.key"), filepath.Join(c.directory, "tokens.csv")
	c.write(t, key, newKey(t))
	c.write(t, tokens, token+",replay,replay,system:masters\n")
	_, port, err := net.SplitHostPort(c.address)
	if err != nil {
		t.Fatal(err)
	}
	c.start(t, "kube-apiserver", nil, "--etcd-servers="+etcd, "--bind-address=127.0.0.1", "--secure-port="+port,
		"--cert-dir="+filepath.Join(c.directory, "certs"), "--token-auth-file="+tokens,
		"--service-account-issuer=https://kubernetes.default.svc", "--service-account-key-file="+key, "--service-account-signing-key-file="+key,
		"--service-cluster-ip-range=10.0.0.0/24", "--authorization-mode=AlwaysAllow", "--disable-admission-plugins=ServiceAccount",
		"--endpoint-reconciler-type=none", "--advertise-address=127.0.0.1", "--enable-priority-and-fairness=false")
}

// newKey makes the key that an API server wants for service accounts.
func newKey(t *testing.T) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
}

// write writes a file of the cluster.
func (c *cluster) write(t *testing.T, name, content string) {
	t.Helper()
	if err := writeFile(name, content); err != nil {
		t.Fatal(err)
	}
}

// freeAddress is an address on loopback that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// process is a program that runs, and where its output goes.
type process struct {
	*exec.Cmd
	log   string
	ended chan struct{} // closed once it has ended
}

// start starts a program, and kills it at the end of the test. A failed test shows the end of its output.
func (c *cluster) start(t *testing.T, name string, environment []string, args ...string) *process {
	t.Helper()
	log, err := os.Create(filepath.Join(c.directory, name+".log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	started := &process{exec.Command(c.path(name), args...), log.Name(), make(chan struct{})}
	started.Dir, started.Env = c.directory, append(os.Environ(), environment...)
	started.Stdout, started.Stderr = log, log
	if err := started.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = started.Wait()
		close(started.ended)
	}()
	t.Cleanup(func() {
		started.stop()
		if t.Failed() {
			t.Logf("the end of the log of %s:\n%s", name, tail(started.output(), 15))
		}
	})
	return started
}

// stop ends a program at once.
func (p *process) stop() {
	_ = p.Process.Kill()
	<-p.ended
}

// runs reports whether a program has not ended yet.
func (p *process) runs() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// output is what a program has printed.
func (p *process) output() string {
	content, _ := os.ReadFile(p.log)
	return string(content)
}

// kubeconfig is the file of the configuration with which the controllers reach the API server.
func (c *cluster) kubeconfig() string {
	return filepath.Join(c.directory, "kubeconfig")
}

// writeKubeconfig writes it, once: a controller that starts must not find it half written.
func (c *cluster) writeKubeconfig(t *testing.T) {
	t.Helper()
	c.write(t, c.kubeconfig(), fmt.Sprintf(`apiVersion: v1
kind: Config
current-context: replay
clusters:
- name: replay
  cluster: {server: "https://%s", insecure-skip-tls-verify: true}
users:
- name: replay
  user: {token: %s}
contexts:
- name: replay
  context: {cluster: replay, user: replay}
`, c.address, token))
}

// startController starts a controller, with more environment: without leader election, metrics or probes.
func (c *cluster) startController(t *testing.T, name string, environment []string, args ...string) *process {
	t.Helper()
	temporary := filepath.Join(c.directory, name+".tmp")
	if err := os.MkdirAll(temporary, 0o755); err != nil {
		t.Fatal(err)
	}
	environment = append(environment, "KUBECONFIG="+c.kubeconfig(), "RUNTIME_NAMESPACE="+fluxNamespace, "TMPDIR="+temporary,
		"GODEBUG=fips140=on") // the operator runs in that mode only
	return c.start(t, name, environment, append(args, "--enable-leader-election=false", "--metrics-addr=0", "--health-addr=0")...)
}

// client is where objects of a resource are read and written.
func (c *cluster) client(resource schema.GroupVersionResource, namespace string) dynamic.ResourceInterface {
	if namespace == "" {
		return c.dynamic.Resource(resource)
	}
	return c.dynamic.Resource(resource).Namespace(namespace)
}

// clientOf is where an object of a kind that the cluster serves is written.
func (c *cluster) clientOf(object *objects.Object) (dynamic.ResourceInterface, error) {
	kind := object.GroupVersionKind()
	served, err := c.discovery.ServerResourcesForGroupVersion(kind.GroupVersion().String())
	if err != nil {
		return nil, err
	}
	for _, resource := range served.APIResources {
		if resource.Kind == kind.Kind && !strings.Contains(resource.Name, "/") {
			return c.client(kind.GroupVersion().WithResource(resource.Name), object.GetNamespace()), nil
		}
	}
	return nil, fmt.Errorf("%s is not served", kind)
}

// apply applies an object on the server's side.
func (c *cluster) apply(ctx context.Context, manager string, object *objects.Object) error {
	client, err := c.clientOf(object)
	if err != nil {
		return err
	}
	_, err = client.Apply(ctx, object.GetName(), object, metav1.ApplyOptions{FieldManager: manager, Force: true})
	return err
}

// applyAll applies objects once their kinds are served: definitions and namespaces first.
func (c *cluster) applyAll(t *testing.T, manager string, list []*objects.Object) {
	t.Helper()
	for _, first := range []bool{true, false} {
		for _, object := range list {
			kind := object.GetKind()
			if first != (kind == "CustomResourceDefinition" || kind == "Namespace") {
				continue
			}
			eventually(t, 2*time.Minute, "apply "+objects.Name(object), func() error { return c.apply(t.Context(), manager, object) })
		}
	}
}

// patch merges a change into an object, or into its status.
func (c *cluster) patch(ctx context.Context, resource schema.GroupVersionResource, namespace, name string, change map[string]any, part ...string) error {
	encoded, err := json.Marshal(change)
	if err != nil {
		return err
	}
	_, err = c.client(resource, namespace).Patch(ctx, name, types.MergePatchType, encoded, metav1.PatchOptions{FieldManager: "replay"}, part...)
	return err
}

// merge merges a change into an object of a kind that the cluster serves.
func (c *cluster) merge(t *testing.T, object *objects.Object, change map[string]any) error {
	t.Helper()
	client, err := c.clientOf(object)
	if err != nil {
		return err
	}
	encoded, err := json.Marshal(change)
	if err != nil {
		return err
	}
	_, err = client.Patch(t.Context(), object.GetName(), types.MergePatchType, encoded, metav1.PatchOptions{FieldManager: "replay"})
	return err
}

// list returns the objects of a resource in all namespaces; none where the cluster does not serve it.
func (c *cluster) list(ctx context.Context, resource schema.GroupVersionResource) []unstructured.Unstructured {
	found, err := c.dynamic.Resource(resource).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil
	}
	return found.Items
}

// get returns an object, or nil where there is none.
func (c *cluster) get(ctx context.Context, resource schema.GroupVersionResource, namespace, name string) *objects.Object {
	found, err := c.client(resource, namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil
	}
	return found
}

// eventually waits until a check passes, and fails with its last answer when it does not.
func eventually(t *testing.T, limit time.Duration, what string, check func() error) {
	t.Helper()
	var err error
	started := time.Now()
	for ; time.Since(started) < limit; time.Sleep(wait) {
		if err = check(); err == nil {
			if took := time.Since(started); took > time.Second {
				t.Logf("%s: %s", what, took.Round(100*time.Millisecond))
			}
			return
		}
	}
	t.Fatalf("%s: not within %s: %v", what, limit, err)
}
