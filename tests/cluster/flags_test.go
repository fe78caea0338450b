package cluster

import (
	"flag"
	"fmt"
	"log/slog"
	"os"
	"testing"
)

var (
	flagSeeds = flag.Int("seeds", 0, "run each test with so many seeds for each one that it has by default")
	flagSeed  = flag.Uint64("seed", 0, "run each test with this seed alone")
)

func TestMain(m *testing.M) {
	flag.Parse()
	slog.SetLogLoggerLevel(slog.LevelError + 1)
	os.Exit(m.Run())
}

// each runs a test with several seeds.
func each(t *testing.T, count int, test func(t *testing.T, seed uint64)) {
	if *flagSeed != 0 {
		test(t, *flagSeed)
		return
	}
	if *flagSeeds > 0 {
		count *= *flagSeeds
	}
	for seed := range count {
		t.Run(fmt.Sprint(seed+1), func(t *testing.T) {
			t.Parallel()
			test(t, uint64(seed+1))
		})
	}
}
