package summary

import (
	"time"

	"github.com/nollagluiz/broadside/summary/hist"
)

// MaxBuckets bounds a Series: when it is full, neighbours are merged and the width doubles, so that a run of any
// length keeps at most this many, at least half of them once it is long enough.
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
	if s.Width == 0 {
		s.Width = time.Second
	}
	i := int(b.At / s.Width)
	for i >= MaxBuckets {
		s.Halve()
		i = int(b.At / s.Width)
	}
	for len(s.Buckets) <= i {
		s.Buckets = append(s.Buckets, Bucket{At: time.Duration(len(s.Buckets)) * s.Width})
	}
	s.Buckets[i].merge(b)
}

func (b *Bucket) merge(o Bucket) {
	b.Requests += o.Requests
	b.Failures += o.Failures
	b.Iterations += o.Iterations
	b.VUs = max(b.VUs, o.VUs)
	if o.Duration == nil || o.Duration.Count() == 0 {
		return
	}
	if b.Duration == nil {
		b.Duration = hist.New(hist.Coarse)
	}
	b.Duration.Merge(o.Duration)
}

// Halve merges neighbours, so that half the buckets of twice the width remain. Counts stay exact.
func (s *Series) Halve() {
	s.Width *= 2
	for i := range s.Buckets {
		if i%2 == 0 {
			s.Buckets[i/2] = s.Buckets[i]
			s.Buckets[i/2].At = time.Duration(i/2) * s.Width
			continue
		}
		s.Buckets[i/2].merge(s.Buckets[i])
	}
	s.Buckets = s.Buckets[:(len(s.Buckets)+1)/2]
}
