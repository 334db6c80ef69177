package e2e

import (
	"bytes"
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"migrate-to-flux-operator/e2e/classic"
	"migrate-to-flux-operator/e2e/objects"
)

// corpusTable is the recorded outcome of every cluster of the corpus.
const corpusTable = "testdata/corpus.tsv"

// row is one line of the table.
type row struct {
	folder string
	// explicit is the version that the config names; it is empty where the version found is migrated.
	explicit string
	planned
	differences, deploy, cleanup string
}

// header names the columns.
const header = "folder\tcluster\tlayout\tversion\toutcome\tdifferences\tdeploy\tcleanup\treason"

// String is the row as it is recorded.
func (r row) String() string {
	outcome := r.Outcome
	if r.explicit != "" {
		outcome += " at " + r.explicit
	}
	return strings.Join([]string{r.folder, r.Path, r.Layout, cmp.Or(r.Version, "-"), outcome,
		cmp.Or(r.differences, "-"), cmp.Or(r.deploy, "-"), cmp.Or(r.cleanup, "-"), cmp.Or(firstLine(r.Reason), "-")}, "\t")
}

// firstLine is the first line of a message, without tabs.
func firstLine(message string) string {
	line, _, _ := strings.Cut(strings.ReplaceAll(message, "\t", " "), "\n")
	return line
}

// TestCorpus takes every cluster of the corpus through both phases, each alone, and holds the outcome against the
// recorded table. What is migrated must be equal.
func TestCorpus(t *testing.T) {
	fn, root := commands(t), *elsewhere
	if root == "" {
		root = corpus(t, ".")
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	entries = slices.DeleteFunc(entries, func(e os.DirEntry) bool { return !e.IsDir() })
	rows := make([][]row, len(entries))
	t.Run("repository", func(t *testing.T) { // ends once all have ended
		for i, entry := range entries {
			t.Run(entry.Name(), func(t *testing.T) {
				t.Parallel()
				rows[i] = runFolder(t, fn, filepath.Join(root, entry.Name()))
			})
		}
	})
	table := []string{header}
	for _, row := range slices.Concat(rows...) {
		fmt.Println(row)
		table = append(table, row.String())
	}
	if *elsewhere == "" {
		record(t, corpusTable, strings.Join(table, "\n")+"\n")
	}
}

// runFolder runs every cluster that plan finds in a repository, and those that it refuses for their version once more,
// with the version that the message asks for. What plan refuses without naming a cluster is a row too, and so is a
// repository where it finds nothing.
func runFolder(t *testing.T, fn product, folder string) []row {
	t.Helper()
	rows, found := runAt(t, fn, folder, "")
	noneSkipped(t, findClusters(t, folder), rows, found)
	versions := askedFor(rows)
	for i := 0; i < len(versions); i++ { // a later version may be asked for in turn
		again, _ := runAt(t, fn, folder, versions[i])
		for _, version := range askedFor(again) {
			if !slices.Contains(versions, version) {
				versions = append(versions, version)
			}
		}
		for _, row := range again {
			if row.Outcome == migrates && !slices.ContainsFunc(rows, row.sameMigrated) {
				rows = append(rows, row)
			}
		}
	}
	return rows
}

// remedyVersion finds the version in a message that asks for an explicit one.
var remedyVersion = regexp.MustCompile(`instance\.version to (?:the minor version that runs, such as )?(\d+\.\d+\.[\dx]+)`)

// askedFor lists the versions that the refused rows ask for.
func askedFor(rows []row) []string {
	var versions []string
	for _, row := range rows {
		if asks := remedyVersion.FindStringSubmatch(row.Reason); asks != nil && !slices.Contains(versions, asks[1]) {
			versions = append(versions, asks[1])
		}
	}
	return versions
}

// sameMigrated reports whether another row is of the same cluster and has migrated it.
func (r row) sameMigrated(other row) bool { return other.Outcome == migrates && other.Path == r.Path }

// runAt runs every cluster that plan finds in a repository, with an explicit version or, where that is empty, the
// version found.
func runAt(t *testing.T, fn product, folder, version string) ([]row, answer) {
	t.Helper()
	name := filepath.Base(folder)
	found, err := fn.plan(newCheckout(t, folder).directory, configure(t, explicitly(version)))
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	var rows []row
	for _, cluster := range found.Clusters {
		rows = append(rows, row{folder: name, explicit: version, planned: cluster})
	}
	migrateRows(t, fn, folder, rows)
	for _, message := range found.errors() {
		rows = append(rows, row{folder: name, planned: planned{Path: "-", Layout: "-", Outcome: "refused", Reason: message}})
	}
	if len(rows) == 0 {
		rows = append(rows, row{folder: name, planned: planned{Path: "-", Layout: "-", Outcome: "nothing found"}})
	}
	return rows, found
}

// explicitly is the config for an explicit version.
func explicitly(version string) string {
	if version == "" {
		return ""
	}
	return fmt.Sprintf("instance: {version: %s}\n", version)
}

// manyClusters are so many that a repository takes them through the phases in one run.
const manyClusters = 8

// migrateRows takes the clusters of a repository through both phases: each alone, or, where there are many, all at
// once.
func migrateRows(t *testing.T, fn product, folder string, rows []row) {
	t.Helper()
	var open []*row
	for i := range rows {
		if rows[i].Outcome == migrates {
			open = append(open, &rows[i])
		}
	}
	if len(open) >= manyClusters {
		migrate(t, fn, folder, open...)
		return
	}
	for _, one := range open {
		migrate(t, fn, folder, one)
	}
}

// noneSkipped fails for a cluster that the test finds and plan does not mention: neither as a row nor by a word on its
// file.
func noneSkipped(t *testing.T, clusters []classic.Cluster, rows []row, found answer) {
	t.Helper()
	for _, cluster := range clusters {
		if cluster.Root == nil {
			continue
		}
		mentioned := slices.ContainsFunc(rows, func(r row) bool {
			return path.Clean(r.Path) == cluster.Path || r.Path == "-" && r.Outcome == "refused" || strings.Contains(r.Reason, cluster.File())
		}) || slices.ContainsFunc(found.Findings, func(f struct{ Severity, File, Message string }) bool { return f.File == cluster.File() })
		if !mentioned {
			t.Errorf("%s: plan does not mention the cluster %s of %s", rows[0].folder, cluster.Path, cluster.File())
		}
	}
}

// migrate takes the clusters of some rows through both phases, in one run.
func migrate(t *testing.T, fn product, folder string, rows ...*row) {
	t.Helper()
	checkout := newCheckout(t, folder)
	var paths []string
	for _, r := range rows {
		paths = append(paths, r.Path)
	}
	only := configure(t, fmt.Sprintf("clusters: [%s]\n%s", strings.Join(paths, ", "), explicitly(rows[0].explicit)))
	if _, err := fn.run("apply", checkout.directory, "--phase", "deploy", only); err != nil {
		t.Errorf("%s %s: %v", folder, paths, err)
		return
	}
	for _, r := range rows {
		r.deploy = checkout.lines(t)
		r.differences = r.hold(t, checkout, folder)
	}
	before := files(t, checkout)
	checkout.push(t, "deploy")
	_, refused := fn.run("apply", checkout.directory, "--phase", "cleanup", "--taken-over", only)
	for _, r := range rows {
		if r.cleanup = checkout.lines(t); refused != nil {
			r.cleanup, r.Reason = "refused", refused.Error()
			if at := strings.Index(r.Reason, "[error]"); at >= 0 {
				r.Reason = r.Reason[at:]
			}
		}
	}
	for _, changed := range checkout.changed(t) {
		if !before[changed] {
			t.Errorf("%s %s: cleanup wrote a new file %s", folder, paths, changed)
		}
	}
}

// hold compares what was deployed with the classic install, and counts the differences.
func (r *row) hold(t *testing.T, checkout checkout, folder string) string {
	t.Helper()
	if r.Layout == "flux2-chart" {
		t.Logf("%s %s: the Helm chart is not rendered by this module", r.folder, r.Path)
		return "not rendered"
	}
	cluster, found := clusterAt(findClusters(t, folder), r.planned)
	if whole, err := classic.FindAt(folder, r.Path); err == nil && r.Layout == classic.Bootstrap {
		cluster, found = whole, true
	}
	instance := newInstance(t, checkout, r.Path)
	if !found || instance == nil {
		t.Errorf("%s %s: the test finds no classic install (%v) or no FluxInstance (%v)", r.folder, r.Path, found, instance != nil)
		return "?"
	}
	cluster.Version = cmp.Or(cluster.Version, "v"+r.Version)
	differences, err := hold(t, folder, cluster, instance)
	if err != nil {
		t.Errorf("%s %s: %v", r.folder, r.Path, err)
		return "?"
	}
	for _, one := range differences {
		t.Errorf("%s %s: %.300s", r.folder, r.Path, one)
	}
	if r.explicit != "" { // the manifests of the version that runs may not be there: an artifact's at the new one are close
		cluster.Version = manifests(t).Select(r.explicit)
	}
	if err := admitChanged(t, checkout, folder, cluster); err != nil {
		t.Errorf("%s %s: %v", r.folder, r.Path, err)
	}
	return fmt.Sprint(len(differences))
}

// clusterAt picks the cluster that plan names, by its path and then by its layout; an install without a root in the
// repository by the folder it is in.
func clusterAt(all []classic.Cluster, wanted planned) (classic.Cluster, bool) {
	var best classic.Cluster
	found := false
	for _, cluster := range all {
		at := path.Clean(wanted.Path)
		rootless := cluster.Root == nil && strings.HasPrefix(cluster.Components, at+"/")
		if !rootless && (cluster.Root == nil || cluster.Path != at) {
			continue
		}
		if !found || cluster.Layout == wanted.Layout {
			best, found = cluster, true
		}
	}
	return best, found
}

// newInstance returns the FluxInstance in a changed file: of several the one that syncs a path. It is nil when there is
// none.
func newInstance(t *testing.T, checkout checkout, at string) *objects.Object {
	t.Helper()
	changed := map[string]bool{}
	for _, file := range checkout.changed(t) {
		changed[file] = true
	}
	instances := slices.DeleteFunc(checkout.instances(t), func(o objects.Located) bool { return !changed[o.File] })
	for _, instance := range instances {
		if syncs, _, _ := unstructured.NestedString(instance.Object.Object, "spec", "sync", "path"); len(instances) == 1 || path.Clean(syncs) == path.Clean(at) {
			return instance.Object
		}
	}
	return nil
}

// files lists the files of a checkout.
func files(t *testing.T, checkout checkout) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	err := fs.WalkDir(os.DirFS(checkout.directory), ".", func(name string, entry fs.DirEntry, err error) error {
		found[name] = true
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// record compares a text with a recorded one, or rewrites it with -update.
func record(t *testing.T, file, text string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	recorded, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (run with -update to record it)", err)
	}
	if bytes.Equal(recorded, []byte(text)) {
		return
	}
	was, is := lineSet(string(recorded)), lineSet(text)
	for line := range strings.Lines(string(recorded)) {
		if !is[line] {
			t.Errorf("recorded: %s", strings.TrimSpace(line))
		}
	}
	for line := range strings.Lines(text) {
		if !was[line] {
			t.Errorf("now:      %s", strings.TrimSpace(line))
		}
	}
	t.Errorf("%s is out of date (-update rewrites it)", file)
}

// lineSet is the set of a text's lines.
func lineSet(text string) map[string]bool {
	set := map[string]bool{}
	for line := range strings.Lines(text) {
		set[line] = true
	}
	return set
}
