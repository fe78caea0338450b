package trace

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var elsewhere = netip.MustParseAddrPort("10.0.0.2:7000")

func TestForeignEventsHaveTheirPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := New("worker")
		pass := func(d time.Duration) { <-time.After(d) }
		tr.Add("asked")
		asked := tr.Now()
		pass(2 * time.Millisecond)
		tr.Add("meanwhile")
		pass(2 * time.Millisecond)
		tr.AddFrom(elsewhere, asked, 3*time.Millisecond, []Event{{Elapsed: 0, Activity: "received"}, {Elapsed: 3 * time.Millisecond, Activity: "done"}})
		tr.Add("answered")
		events, _ := tr.End()
		var got []string
		for i, e := range events {
			got = append(got, e.Activity)
			if foreign := e.Activity == "received" || e.Activity == "done"; foreign != (e.Source == elsewhere) {
				t.Errorf("source %s of %s", e.Source, e.Activity)
			}
			if i > 0 && e.At <= events[i-1].At {
				t.Errorf("%s is not after %s", e.Activity, events[i-1].Activity)
			}
		}
		if want := []string{"asked", "received", "meanwhile", "done", "answered"}; !slices.Equal(got, want) {
			t.Errorf("%q", got)
		}
		if events[1].At != 500*time.Microsecond+3*resolution/2 || events[1].Elapsed != 0 {
			t.Errorf("%+v", events[1])
		}
	})
}

func TestLateEventsAreFollowed(t *testing.T) {
	tr := New("worker")
	tr.Add("in time")
	events, _ := tr.End()
	tr.Add("before")
	var got []Event
	tr.Follow(func(late []Event) { got = append(got, late...) })
	tr.AddFrom(elsewhere, tr.Now(), time.Millisecond, []Event{{Elapsed: 1, Activity: "after"}})
	for range 2 * maxLate {
		tr.Add("again")
	}
	if len(got) != maxLate || got[0].Activity != "before" || got[1].Activity != "after" || got[1].Source != elsewhere {
		t.Fatalf("%d: %+v", len(got), got)
	}
	for last := events[0].At; len(got) > 0; got = got[1:] {
		if got[0].At <= last {
			t.Fatalf("%+v is not after %s", got[0], last)
		}
		last = got[0].At
	}
	(*Trace)(nil).Follow(nil)
	(*Trace)(nil).AddFrom(elsewhere, 0, 0, nil)
}

func TestEventsTravel(t *testing.T) {
	tr := New("replica")
	tr.Add("first")
	tr.AddIn("committer", "second")
	sent := tr.Append([]byte("x"))
	events, took, err := Decode(sent[1:])
	want, _ := tr.End()
	if err != nil || took <= 0 || !slices.EqualFunc(events, want, func(a, b Event) bool {
		return a.Elapsed == b.Elapsed && a.Activity == b.Activity && a.Thread == b.Thread
	}) {
		t.Errorf("%+v in %s, error %v", events, took, err)
	}
	for n := range len(sent) - 1 {
		if _, _, err := Decode(sent[1 : 1+n]); err == nil {
			t.Errorf("%d bytes are enough", n)
		}
	}
}

func TestEventsThatTravelAreBounded(t *testing.T) {
	for _, size := range []int{1, maxActivity} {
		tr := New("replica")
		for range maxEvents {
			tr.Add("%s", strings.Repeat("x", size))
		}
		b := tr.Append(nil)
		events, _, err := Decode(b)
		if err != nil || len(b) > maxSentBytes+maxActivity+20*maxSentEvents+20 || !strings.HasPrefix(events[len(events)-1].Activity, "There were more") {
			t.Errorf("%d events in %d bytes, error %v", len(events), len(b), err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	tr := New("replica")
	tr.Add("first")
	f.Add(tr.Append(nil))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		events, took, err := Decode(b)
		if took < 0 || err == nil && len(events) > maxSentEvents+1 {
			t.Errorf("%d events in %s", len(events), took)
		}
	})
}
