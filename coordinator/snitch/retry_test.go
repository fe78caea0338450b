package snitch

import (
	"errors"
	"testing"
	"time"
)

func TestRetryForms(t *testing.T) {
	const half = 2500 * time.Millisecond
	for _, test := range []struct {
		text                 string
		known                time.Duration // the percentile; 0 if it is not known
		want                 time.Duration // negative if nothing is asked
		wantAsked            float64       // which percentile
		always, wantMistaken bool
	}{
		{text: "NEVER", want: -1},
		{text: "ALWAYS", want: 0, always: true},
		{text: "99p", known: 7, want: 7, wantAsked: 99},
		{text: "99.5p", want: half, wantAsked: 99.5},
		{text: "10ms", want: 10 * time.Millisecond},
		{text: "0ms", want: 0, always: true},
		{text: "2147483647ms", want: 2147483647 * time.Millisecond},
		{text: "MIN(99p,10ms)", known: time.Second, want: 10 * time.Millisecond, wantAsked: 99},
		{text: "MIN(99p,10ms)", known: time.Millisecond, want: time.Millisecond, wantAsked: 99},
		{text: "MIN(99p,10ms)", want: 10 * time.Millisecond, wantAsked: 99},
		{text: "MAX(90p,10ms)", known: time.Millisecond, want: 10 * time.Millisecond, wantAsked: 90},
		{text: "MAX(90p,10ms)", known: time.Second, want: time.Second, wantAsked: 90},
		{text: "MAX(90p,0ms)", want: half, wantAsked: 90},
	} {
		r, err := ParseRetry(test.text)
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		asked := 0.0
		got, some := r.After(func(percent float64) (time.Duration, bool) {
			asked = percent
			return test.known, test.known > 0
		}, half)
		if !some {
			got = -1
		}
		if got != test.want || asked != test.wantAsked || r.Always() != test.always {
			t.Errorf("%s: got %v, after a look at %v", test.text, got, asked)
		}
	}
}

func TestRetryMistakes(t *testing.T) {
	for _, text := range []string{"", "never", "99", "p", "ms", "100p", "0p", "-1p", "nanp", "infp", "-1ms", "1.5ms", "99p)", "MIN()",
		"MIN(99p,10ms", "MIN(10ms,99p)", "MIN(99p)", "MAX(99p,98p)", "MAX(10ms,10ms)", "MED(99p,10ms)", "99999999999ms", "(99p,10ms)"} {
		var mistake *RetryError
		if r, err := ParseRetry(text); !errors.As(err, &mistake) || r != (Retry{}) {
			t.Errorf("%q: got %+v, %v", text, r, err)
		}
	}
}

func FuzzParseRetry(f *testing.F) {
	for _, text := range []string{"NEVER", "ALWAYS", "99p", "10ms", "MIN(99p,10ms)", "MAX(99.9p,1ms)"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseRetry(text)
		wait, some := r.After(func(percent float64) (time.Duration, bool) {
			return time.Second, percent > 0 && percent < 100
		}, -time.Hour)
		if wait < 0 || err != nil && some {
			t.Errorf("%q: %v, %v, %v", text, wait, some, err)
		}
	})
}
