package inbox

import (
	"container/heap"
	"errors"
	"io"
	"slices"

	"github.com/iliumdb/ilium/workload/mail"
)

// A question is a search with one word or one correspondent.
type question struct {
	user, key string
	peer      bool // key is a correspondent
}

// A sample is some questions with their right answers, worked out by a plain scan of the mail.
type sample struct {
	answers map[question][]Hit // newest first
	order   []question
}

// sampleOptions says how many questions to take.
type sampleOptions struct {
	words, peers int // in all
	seed         uint64
}

// takeSample scans the source once. Which questions are taken depends on their hash alone: those
// with the smallest hashes, so that every word of every user has the same chance, and the answer of
// each one taken is complete.
func takeSample(source Source, opts sampleOptions) (*sample, error) {
	s := sampler{answers: make(map[question]map[Hit]bool)}
	words, peers := &chosen{limit: opts.words}, &chosen{limit: opts.peers}
	for {
		m, err := source.Next()
		var damaged *mail.MessageError
		switch {
		case errors.Is(err, io.EOF):
			return s.finish(), nil
		case errors.As(err, &damaged):
			continue
		case err != nil:
			return nil, err
		}
		hit := Hit{SentAt: m.Date, MessageID: m.ID}
		for _, w := range mail.DistinctWords(m.Subject, m.Body) {
			s.add(words, question{user: m.User, key: w}, hit, opts.seed)
		}
		for _, p := range mail.Correspondents(m) {
			s.add(peers, question{user: m.User, key: p, peer: true}, hit, opts.seed)
		}
	}
}

type sampler struct {
	answers map[question]map[Hit]bool
}

// add takes a hit of a question in, if the question is among the chosen ones.
func (s *sampler) add(c *chosen, q question, hit Hit, seed uint64) {
	if known, ok := s.answers[q]; ok {
		known[hit] = true
		return
	}
	h := hashOf(q, seed)
	if c.limit == 0 || len(c.heap) == c.limit && h >= c.heap[0].hash {
		return
	}
	if len(c.heap) == c.limit {
		// The bound only falls, so a question that is dropped never comes back half answered.
		delete(s.answers, heap.Pop(c).(candidate).question)
	}
	heap.Push(c, candidate{h, q})
	s.answers[q] = map[Hit]bool{hit: true}
}

func (s *sampler) finish() *sample {
	out := &sample{answers: make(map[question][]Hit, len(s.answers))}
	for q, hits := range s.answers {
		list := make([]Hit, 0, len(hits))
		for h := range hits {
			list = append(list, h)
		}
		slices.SortFunc(list, func(a, b Hit) int {
			if a.before(b) {
				return -1
			}
			return 1
		})
		out.answers[q] = list
		out.order = append(out.order, q)
	}
	slices.SortFunc(out.order, func(a, b question) int {
		return slices.Compare([]string{a.user, a.key}, []string{b.user, b.key})
	})
	return out
}

// of returns the questions about words, or about correspondents.
func (s *sample) of(peers bool) []question {
	var out []question
	for _, q := range s.order {
		if q.peer == peers {
			out = append(out, q)
		}
	}
	return out
}

// hashOf is FNV-1a, mixed: the same in every run with the same seed.
func hashOf(q question, seed uint64) uint64 {
	h := seed ^ 14695981039346656037
	for _, part := range []string{q.user, "\x00", q.key} {
		for i := range len(part) {
			h = (h ^ uint64(part[i])) * 1099511628211
		}
	}
	h ^= h >> 32
	h *= 0x9e3779b97f4a7c15
	return h ^ h>>29
}

// chosen is a heap of the candidates with the smallest hashes, the greatest of them on top.
type chosen struct {
	limit int
	heap  []candidate
}

type candidate struct {
	hash     uint64
	question question
}

func (c *chosen) Len() int           { return len(c.heap) }
func (c *chosen) Less(i, j int) bool { return c.heap[i].hash > c.heap[j].hash }
func (c *chosen) Swap(i, j int)      { c.heap[i], c.heap[j] = c.heap[j], c.heap[i] }
func (c *chosen) Push(x any)         { c.heap = append(c.heap, x.(candidate)) }
func (c *chosen) Pop() any {
	last := c.heap[len(c.heap)-1]
	c.heap = c.heap[:len(c.heap)-1]
	return last
}
