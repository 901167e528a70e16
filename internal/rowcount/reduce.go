package rowcount

// living returns the edges from which the end can be reached.
func living(places int, edges []edge) []edge {
	into := make([][]int, places)
	for _, e := range edges {
		into[e.to] = append(into[e.to], e.from)
	}
	alive := make([]bool, places)
	for stack := []int{0}; len(stack) > 0; {
		top := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for _, from := range into[top] {
			if !alive[from] {
				alive[from] = true
				stack = append(stack, from)
			}
		}
	}
	var list []edge
	for _, e := range edges {
		if alive[e.to] {
			list = append(list, e)
		}
	}
	return list
}

// reduce takes out of a graph the places that have one way in or out, or so few that
// there are no more ways without them. It returns the ways that are left, by the place
// where they begin.
func reduce(places int, edges []edge) [][]edge {
	r := reducer{in: make([][]*edge, places), out: make([][]*edge, places)}
	for _, e := range edges {
		r.add(e)
	}
	for changed := true; changed; {
		changed = false
		for place := 1; place < places; place++ {
			changed = r.remove(place) || changed
		}
	}
	var numbers []int
	number := make([]int, places)
	for place := range places {
		if place == 0 || len(r.in[place]) > 0 {
			number[place] = len(numbers)
			numbers = append(numbers, place)
		}
	}
	left := make([][]edge, len(numbers))
	for i, place := range numbers {
		for _, e := range r.out[place] {
			left[i] = append(left[i], edge{from: i, to: number[e.to], cost: e.cost})
		}
	}
	return left
}

// reducer is a graph that becomes smaller.
type reducer struct{ in, out [][]*edge }

// add adds a way, unless there is one like it.
func (r *reducer) add(e edge) {
	for _, old := range r.out[e.from] {
		if *old == e {
			return
		}
	}
	r.out[e.from] = append(r.out[e.from], &e)
	r.in[e.to] = append(r.in[e.to], &e)
}

// remove joins the ways into a place with those out of it, if that makes no more of them.
func (r *reducer) remove(place int) bool {
	in, out := r.in[place], r.out[place]
	if len(in) == 0 || len(out) == 0 || len(in)*len(out) > len(in)+len(out) {
		return false
	}
	for _, e := range out {
		if e.to == place {
			return false
		}
	}
	r.in[place], r.out[place] = nil, nil
	for _, e := range in {
		r.out[e.from] = drop(r.out[e.from], e)
	}
	for _, e := range out {
		r.in[e.to] = drop(r.in[e.to], e)
	}
	for _, first := range in {
		for _, second := range out {
			e := edge{from: first.from, to: second.to, cost: first.cost}
			e.cost.add(&second.cost)
			r.add(e)
		}
	}
	return true
}

func drop(list []*edge, e *edge) []*edge {
	for i := range list {
		if list[i] == e {
			list[i] = list[len(list)-1]
			return list[:len(list)-1]
		}
	}
	return list
}
