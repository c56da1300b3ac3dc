//go:build linux

package loop

import "time"

// timers is a heap of the VUs that are to expire, the next first, 4 children to a node. It is exact to the nanosecond, so
// a pause of 1 ms is one of 1 ms; a wheel of 10 ms slots would need sorted slots for that.
//
// Time-outs are lazy: moving a timer to a later time costs nothing, as it stays in the heap at the time before, and moves
// when that comes. So requests that end in time never touch the heap, but once in the length of a time-out for each VU.
type timers []entry

type entry struct {
	at time.Duration // not after when
	*vu
}

// timer is when a VU expires, in the loop's time.
type timer struct {
	when  time.Duration // never: not at all
	place int32         // in the heap, from 1; 0: not there
}

const children = 4

// first is when to look again; never if there is nothing.
func (q timers) first() time.Duration {
	if len(q) == 0 {
		return never
	}
	return q[0].at
}

// set lets v expire at due, and no more at the time set before.
func (q *timers) set(v *vu, due time.Duration) {
	v.when = due
	switch {
	case v.place == 0 && due != never:
		*q = append(*q, entry{})
		q.up(len(*q)-1, entry{due, v})
	case v.place != 0 && due < (*q)[v.place-1].at:
		q.up(int(v.place)-1, entry{due, v})
	}
}

// remove forgets v, which the heap would hold otherwise until the time before comes.
func (q *timers) remove(v *vu) {
	v.when = never
	if v.place == 0 {
		return
	}
	i, last := int(v.place)-1, len(*q)-1
	moved := (*q)[last]
	(*q)[last] = entry{}
	*q = (*q)[:last]
	v.place = 0
	if i == last {
		return
	}
	q.down(i, moved)
	if moved.place == int32(i)+1 {
		q.up(i, moved)
	}
}

// expired takes a VU out that is due at now; nil if there is none.
func (q *timers) expired(now time.Duration) *vu {
	for len(*q) > 0 && (*q)[0].at <= now {
		v := (*q)[0].vu
		if v.when > now && v.when != never {
			q.down(0, entry{v.when, v})
			continue
		}
		due := v.when
		q.remove(v)
		if due != never {
			return v
		}
	}
	return nil
}

// up puts e at i or above.
func (q timers) up(i int, e entry) {
	for i > 0 {
		parent := (i - 1) / children
		if q[parent].at <= e.at {
			break
		}
		q.put(i, q[parent])
		i = parent
	}
	q.put(i, e)
}

// down puts e at i or below.
func (q timers) down(i int, e entry) {
	for {
		least := i*children + 1
		if least >= len(q) {
			break
		}
		for child := least + 1; child < min(i*children+1+children, len(q)); child++ {
			if q[child].at < q[least].at {
				least = child
			}
		}
		if q[least].at >= e.at {
			break
		}
		q.put(i, q[least])
		i = least
	}
	q.put(i, e)
}

func (q timers) put(i int, e entry) {
	q[i] = e
	e.place = int32(i) + 1
}
