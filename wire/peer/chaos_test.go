package peer_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/iliumdb/ilium/wire/peer"
)

// TestChaos has three nodes ask each other while the network fails them in all ways. Each request must end once and in time, with the
// right answer or an error, and when the network is whole again, all must be answered.
func TestChaos(t *testing.T) {
	for seed := range uint64(10) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			simulate(t, func(t *testing.T, c *cluster) { chaos(t, c, rand.New(rand.NewPCG(seed, 1))) })
		})
	}
}

const chaosNodes = 3

// double answers with twice the number that it is asked for, sometimes late.
func double(ctx context.Context, r *peer.Request) ([]byte, error) {
	n := binary.LittleEndian.Uint64(r.Body)
	if n%7 == 0 {
		select {
		case <-time.After(time.Duration(n%1000) * time.Millisecond):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	answer := append(r.Memory[:0], r.Body...)
	binary.LittleEndian.PutUint64(answer, 2*n)
	return answer, nil
}

func chaos(t *testing.T, c *cluster, random *rand.Rand) {
	hubs := make(map[byte]*peer.Hub)
	start := func(n byte) { hubs[n] = c.node(n, double, func(o *peer.Options) { o.Compression = n != 2 }) }
	for n := byte(1); n <= chaosNodes; n++ {
		start(n)
	}
	var asked, ended, answered atomic.Int64
	ask := func(from, to byte, limit time.Duration) {
		number := random.Uint64()
		body := binary.LittleEndian.AppendUint64(nil, number)
		body = append(body, make([]byte, random.IntN(20)*random.IntN(20)*random.IntN(200))...)
		deadline := time.Now().Add(limit)
		var once atomic.Bool
		asked.Add(1)
		hubs[from].Send(hostID(to), peer.VerbRead, deadline, body, func(answer []byte, err error) {
			if once.Swap(true) {
				t.Error("a request has ended twice")
			}
			if d := time.Since(deadline); d > 20*time.Millisecond {
				t.Errorf("late by %v: %v", d, err)
			}
			ended.Add(1)
			if err == nil {
				answered.Add(1)
				if len(answer) != len(body) || binary.LittleEndian.Uint64(answer) != 2*number {
					t.Error("a wrong answer")
				}
				return
			}
			_, unreachable := errors.AsType[*peer.UnreachableError](err)
			if !unreachable && !timedOut(err) {
				t.Errorf("%T %v", err, err)
			}
		})
	}
	pick := func() byte { return byte(random.IntN(chaosNodes) + 1) }
	for range 300 {
		for range random.IntN(20) {
			if from, to := pick(), pick(); from != to {
				ask(from, to, time.Duration(random.IntN(3000))*time.Millisecond)
			}
		}
		switch a, b := pick(), pick(); random.IntN(12) {
		case 0:
			c.network.Block(ip(a), ip(b))
		case 1:
			c.network.Partition([]string{ip(a)})
		case 2, 3, 4:
			c.network.Heal()
		case 5:
			c.network.Kill(ip(a)) // it is restarted
			_ = hubs[a].Close()   // the listener may be closed already
			start(a)
		case 6:
			c.network.SetLoss(random.Float64() / 4)
		case 7:
			c.network.SetDelay(0, time.Duration(random.IntN(50))*time.Millisecond)
		case 8:
			hubs[a].Retry(hostID(b))
		}
		<-time.After(time.Duration(random.IntN(500)) * time.Millisecond)
	}
	c.network.Heal()
	c.network.SetLoss(0)
	<-time.After(30 * time.Second)
	synctest.Wait()
	if asked.Load() != ended.Load() || answered.Load() < asked.Load()/10 {
		t.Errorf("%d requests, %d have ended, %d were answered", asked.Load(), ended.Load(), answered.Load())
	}
	t.Logf("%d requests, %d answered", asked.Load(), answered.Load())
	answered.Store(0)
	for range 100 {
		for to := byte(2); to <= chaosNodes; to++ {
			ask(1, to, 10*time.Second)
		}
	}
	<-time.After(10 * time.Second)
	if n := answered.Load(); n != 200 {
		t.Errorf("only %d requests were answered in the end", n)
	}
}
