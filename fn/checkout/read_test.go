package checkout

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// corpus is the real repositories to test against, beside the repository.
const corpus = "../../../shared/corpus"

// mentionsFlux is what grep looks for, too.
func mentionsFlux(_ string, raw []byte) bool {
	return bytes.Contains(raw, []byte("toolkit.fluxcd.io"))
}

// BenchmarkRead reads the corpus and runs grep over it in turns, and reports how many times grep's time it takes, and
// the memory that is held at the end.
func BenchmarkRead(b *testing.B) {
	if _, err := os.Stat(corpus); err != nil {
		b.Skip("no ../shared/corpus beside the repository")
	}
	if _, err := exec.LookPath("grep"); err != nil {
		b.Skip("no grep to compare with")
	}
	var ours, grep time.Duration
	for b.Loop() {
		start := time.Now()
		tree, err := Open(context.Background(), corpus, Options{Keep: mentionsFlux})
		if err != nil {
			b.Fatal(err)
		}
		ours += time.Since(start)
		tree.Close()
		start = time.Now()
		if err := exec.Command("grep", "-rl", "toolkit.fluxcd.io", corpus).Run(); err != nil {
			b.Fatal(err)
		}
		grep += time.Since(start)
	}
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	b.ReportMetric(float64(ours)/float64(grep), "x-grep")
	b.ReportMetric(float64(ours.Milliseconds())/float64(b.N), "ms/read")
	b.ReportMetric(float64(mem.Sys)/(1<<20), "MiB")
}

func TestReadCorpus(t *testing.T) {
	if _, err := os.Stat(corpus); err != nil {
		t.Skip("no ../shared/corpus beside the repository")
	}
	var all atomic.Int64
	tree, err := Open(context.Background(), corpus, Options{Keep: func(file string, raw []byte) bool {
		all.Add(1)
		return mentionsFlux(file, raw)
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	t.Logf("read %d files, kept %d, noted %d", all.Load(), len(tree.Files()), len(tree.Notes()))
	if all.Load() < 12000 || len(tree.Files()) < 3000 || len(tree.Notes()) != 2 { // two files in UTF-16
		t.Error("not what the corpus holds")
	}
}
