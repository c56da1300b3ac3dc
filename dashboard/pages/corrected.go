package pages

// corrected is the latency from when requests were due, in ns.
type corrected struct {
	P50, P95, P99 float64
	Error         string // of the values
}

// corrected is nil of a closed model, which has no such trend.
func (l *locale) corrected(trend []byte) *corrected {
	h := decode(trend)
	if h == nil {
		return nil
	}
	return &corrected{h.Quantile(0.50), h.Quantile(0.95), h.Quantile(0.99), l.stated(h.Resolution())}
}
