package workers

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
)

type job func()

func (j job) Run() { j() }

func TestJobsRunBesideEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p Pool
		var running atomic.Int32
		release := make(chan struct{})
		for range maxIdle + 3 {
			p.Run(job(func() { running.Add(1); <-release }))
		}
		synctest.Wait()
		if n := running.Load(); n != maxIdle+3 {
			t.Errorf("%d jobs run at once, not %d", n, maxIdle+3)
		}
		close(release)
		synctest.Wait()
		if n := len(p.idle); n != maxIdle {
			t.Errorf("%d workers stay, not %d", n, maxIdle)
		}
		p.Run(job(func() { running.Add(1) }))
		synctest.Wait()
		if n := len(p.idle); n != maxIdle || running.Load() != maxIdle+4 {
			t.Errorf("%d workers stay, %d jobs have run", n, running.Load())
		}
		p.Close()
	})
}

func TestCloseWaitsForJobs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p Pool
		release := make(chan struct{})
		ended, closed := false, false
		p.Run(job(func() { <-release; ended = true }))
		go func() { p.Close(); closed = true }()
		synctest.Wait()
		if closed {
			t.Error("Close has not waited")
		}
		if p.Run(job(func() { t.Error("a job runs after Close") })) {
			t.Error("a job was taken after Close")
		}
		close(release)
		synctest.Wait()
		if !closed || !ended {
			t.Errorf("closed: %t, the job has ended: %t", closed, ended)
		}
	})
}
