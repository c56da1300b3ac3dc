package summary

import (
	"cmp"
	"time"

	"github.com/nollagluiz/broadside/summary/hist"
)

// MaxBuckets bounds a Series: when it is full, neighbours are merged and the width doubles. So a run of any length keeps
// at most this many, and a run of more than 150 s at least half as many.
const MaxBuckets = 300

// Bucket is what happened in one span of a run.
type Bucket struct {
	At         time.Duration // start of the span, since the start of the run
	Requests   int64
	Failures   int64
	Iterations int64
	VUs        int             // the most seen at work
	Duration   *hist.Histogram // http_req_duration in ns, at hist.Coarse; nil without a sample
}

// Series is a run over time: Buckets[i] covers [i*Width, (i+1)*Width). The zero Series is empty, its width one second.
type Series struct {
	Width   time.Duration
	Buckets []Bucket
}

// Add merges b, whose At says where it belongs, into the series. It keeps no reference to b.Duration.
func (s *Series) Add(b Bucket) {
	at := s.at(b.At)
	at.add(b)
	at.VUs = max(at.VUs, b.VUs)
}

// at is the bucket of an offset from the start, which makes room for it. A negative one, which no monotonic clock
// gives, belongs to the first.
func (s *Series) at(offset time.Duration) *Bucket {
	s.Width = cmp.Or(s.Width, time.Second)
	offset = max(offset, 0)
	for offset/s.Width >= MaxBuckets {
		s.Halve()
	}
	i := int(offset / s.Width)
	for len(s.Buckets) <= i {
		s.Buckets = append(s.Buckets, Bucket{At: time.Duration(len(s.Buckets)) * s.Width})
	}
	return &s.Buckets[i]
}

// add adds what was counted, which the VUs were not.
func (b *Bucket) add(o Bucket) {
	b.Requests += o.Requests
	b.Failures += o.Failures
	b.Iterations += o.Iterations
	if o.Duration == nil || o.Duration.Count() == 0 {
		return
	}
	if b.Duration == nil {
		b.Duration = hist.New(hist.Coarse)
	}
	b.Duration.Merge(o.Duration)
}

// Halve merges neighbours, so that half the buckets of twice the width remain. Counts stay exact, and the most VUs of
// the two are the most of both.
func (s *Series) Halve() {
	old, width := s.Buckets, cmp.Or(s.Width, time.Second)
	*s = Series{Width: 2 * width, Buckets: make([]Bucket, 0, (len(old)+1)/2)}
	for i, b := range old {
		b.At = time.Duration(i) * width
		s.Add(b)
	}
}

// Merge adds o, of a part that ran at the same time, so that its VUs add up. The result has the greater width; o stays
// as it is.
func (s *Series) Merge(o Series) {
	if len(o.Buckets) == 0 {
		return
	}
	if len(s.Buckets) == 0 {
		s.Width = o.Width
	}
	for s.Width < o.Width {
		s.Halve()
	}
	part := Series{Width: o.Width, Buckets: o.Buckets}
	for part.Width < s.Width {
		part.Halve() // makes a copy
	}
	for _, b := range part.Buckets {
		at := s.at(b.At)
		at.add(b)
		at.VUs += b.VUs
	}
}
