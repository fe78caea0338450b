package trace

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestEventsHaveTheirTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := New("reader")
		tr.Add("first of %d", 2)
		tr.Add("at the same time")
		wait := time.NewTimer(3 * time.Millisecond)
		<-wait.C
		tr.Enter("worker")
		tr.AddIn("disk", "elsewhere")
		tr.Add("here")
		events, took := tr.End()
		tr.Add("too late")
		want := []Event{
			{At: resolution, Elapsed: resolution, Activity: "first of 2", Thread: "reader"},
			{At: 2 * resolution, Elapsed: 2 * resolution, Activity: "at the same time", Thread: "reader"},
			{At: 3 * time.Millisecond, Elapsed: 3 * time.Millisecond, Activity: "elsewhere", Thread: "disk"},
			{At: 3*time.Millisecond + resolution, Elapsed: 3*time.Millisecond + resolution, Activity: "here", Thread: "worker"},
		}
		if len(events) != len(want) || took != 3*time.Millisecond {
			t.Fatalf("%v in %s", events, took)
		}
		for i := range want {
			if events[i] != want[i] {
				t.Errorf("%+v, want %+v", events[i], want[i])
			}
		}
		if again, _ := tr.End(); len(again) != len(want) {
			t.Errorf("an event was added after the end: %v", again)
		}
	})
}

func TestNilTakesNothing(t *testing.T) {
	var tr *Trace
	allocated := testing.AllocsPerRun(100, func() {
		tr.Enter("worker")
		tr.Add("nothing")
		tr.AddIn("disk", "nothing")
	})
	if events, took := tr.End(); tr.On() || events != nil || took != 0 || allocated != 0 {
		t.Errorf("%v, %s, %v allocations", events, took, allocated)
	}
}

func TestEventsAreBounded(t *testing.T) {
	tr := New("reader")
	tr.Add("%s", strings.Repeat("é", maxActivity))
	var adding sync.WaitGroup
	for range 4 {
		adding.Go(func() {
			for range maxEvents {
				tr.Add("again")
			}
		})
	}
	adding.Wait()
	events, _ := tr.End()
	if len(events) != maxEvents+1 || events[maxEvents].Activity != "601 more events are not kept" {
		t.Errorf("%d events, the last: %+v", len(events), events[len(events)-1])
	}
	if first := events[0].Activity; len(first) > maxActivity+3 || !strings.HasSuffix(first, "é...") {
		t.Errorf("%d bytes", len(first))
	}
	for i := 1; i < len(events); i++ {
		if events[i].Elapsed < events[i-1].Elapsed+resolution {
			t.Fatalf("event %d does not come after the one before", i)
		}
	}
}
