package cql

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestBacklogWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBacklog(100)
		if err := b.wait(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		b.add(120)
		began, relieved := time.Now(), 0
		err := b.wait(t.Context(), func() {
			if relieved++; relieved == 3 {
				b.add(-21)
			}
		})
		if err != nil || relieved != 3 || time.Since(began) != 3*stuckAfter/4 {
			t.Errorf("%v after %d calls and %s", err, relieved, time.Since(began))
		}
		if b.waiting != 0 {
			t.Errorf("%d still wait", b.waiting)
		}
	})
}

func TestBacklogWakesAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBacklog(100)
		b.add(100)
		done := make(chan error)
		for range 3 {
			go func() { done <- b.wait(t.Context(), func() {}) }()
		}
		synctest.Wait()
		began := time.Now()
		b.add(-1)
		for range 3 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if waited := time.Since(began); waited != 0 {
			t.Errorf("they have waited for %s", waited)
		}
	})
}

func TestBacklogGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBacklog(1)
		b.add(1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := b.wait(ctx, func() {}); err != context.DeadlineExceeded {
			t.Error(err)
		}
	})
}
