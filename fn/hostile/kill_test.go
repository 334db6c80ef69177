//go:build linux

package hostile

import (
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// workFolder is where apply keeps what it has not put into its place yet.
const workFolder = ".migrate-to-flux-operator~"

// TestKilled kills apply while it writes, at any moment: plan names what is left, and the next apply puts back what was
// changed, and then does all of its work.
func TestKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: it takes many runs until some are killed half way")
	}
	done := repository(t, nil, nil)
	if got := execute(t, "", "apply", done); got.code != 0 {
		t.Fatal(got.errOut)
	}
	applied := state(t, done)
	// Once the journal is there, files change; before, they are prepared.
	names := []string{"", "journal"}
	var took [2]time.Duration
	for i, name := range names {
		for range 3 {
			took[i] = max(took[i], killWhileItWrites(t, repository(t, nil, nil), name, 0))
		}
	}
	seen := map[string]int{}
	for i := range 200 {
		if seen["half way"] >= 3 && seen["prepared"] >= 3 {
			break
		}
		dir := repository(t, nil, nil)
		before := state(t, dir)
		killWhileItWrites(t, dir, names[i%2], 1+rand.N(took[i%2]+1))
		left := state(t, dir)
		_, err := os.Lstat(filepath.Join(dir, workFolder))
		was := stage(before, applied, left, err == nil)
		seen[was]++
		plan := execute(t, "", "plan", dir)
		if named := strings.Contains(plan.out+plan.errOut, "killed"); named != (was != "nothing left") || (plan.code == 2) != (was == "half way") {
			t.Errorf("%s: plan has exit code %d and names it: %t\n%s%s", was, plan.code, named, plan.out, plan.errOut)
		}
		again := execute(t, "", "apply", dir)
		if again.code != 0 || !maps.Equal(state(t, dir), applied) {
			t.Fatalf("%s: the next apply does not end where it should: exit code %d\n%s%s", was, again.code, again.out, again.errOut)
		}
		for name := range left {
			changed := left[name] != before[name] && !strings.HasPrefix(name, workFolder)
			if was == "half way" && changed != strings.Contains(again.out, "put back   "+name+" ") {
				t.Errorf("%s was changed: %t, and the next apply says\n%s", name, changed, again.out)
			}
		}
	}
	t.Logf("killed: %v, where the writing took %v", seen, took)
	if seen["half way"] == 0 || seen["prepared"] == 0 {
		t.Error("no run was killed half way, or none before")
	}
}

// killWhileItWrites kills apply a while after name is there in its work folder, at most as long as a run that is not killed
// takes from then on, and returns that time. With no while given, nothing is killed.
func killWhileItWrites(t *testing.T, dir, name string, while time.Duration) time.Duration {
	t.Helper()
	cmd := exec.Command(binary, "apply", dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var ended atomic.Bool
	done := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		ended.Store(true)
		close(done)
	}()
	// The writing is over in less time than a timer takes to fire, so nothing here sleeps.
	wait := func(until func() bool) {
		for !ended.Load() && !until() {
			runtime.Gosched()
		}
	}
	wanted := filepath.Join(dir, workFolder, name)
	wait(func() bool {
		_, err := os.Lstat(wanted)
		return err == nil
	})
	there := time.Now()
	if while == 0 {
		wait(func() bool {
			_, err := os.Lstat(wanted)
			return err != nil
		})
		took := time.Since(there)
		<-done
		return took
	}
	wait(func() bool { return time.Since(there) >= while })
	_ = cmd.Process.Kill()
	<-done
	return while
}

// stage tells how far a run has come: it has prepared its files, changed some of them, or all.
func stage(before, applied, now map[string]string, folder bool) string {
	now = maps.Clone(now)
	maps.DeleteFunc(now, func(name, _ string) bool { return strings.HasPrefix(name, workFolder+"/") })
	switch {
	case maps.Equal(now, before) && folder:
		return "prepared"
	case maps.Equal(now, before), maps.Equal(now, applied) && !folder:
		return "nothing left"
	case maps.Equal(now, applied):
		return "all changed"
	}
	return "half way"
}
