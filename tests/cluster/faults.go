package cluster

import "time"

// ips returns the addresses of members.
func (c *Cluster) ips(members []int) (ips []string) {
	for _, i := range members {
		ips = append(ips, c.Member(i).IP())
	}
	return ips
}

// Partition lets nothing pass between groups of members. Those in no group are one together.
func (c *Cluster) Partition(groups ...[]int) {
	c.Logf("partition %v", groups)
	var ips [][]string
	for _, g := range groups {
		ips = append(ips, c.ips(g))
	}
	c.Network.Partition(ips...)
}

// Block lets nothing pass from one member to another one.
func (c *Cluster) Block(from, to int) {
	c.Logf("nothing passes from %d to %d", from, to)
	c.Network.Block(c.Member(from).IP(), c.Member(to).IP())
}

// Unblock takes a Block back.
func (c *Cluster) Unblock(from, to int) {
	c.Logf("all passes from %d to %d", from, to)
	c.Network.Unblock(c.Member(from).IP(), c.Member(to).IP())
}

// Drop sets what part of the packets is lost, and duplicated, and overtaken.
func (c *Cluster) Drop(lost, duplicated, reordered float64) {
	c.Logf("%.0f %% are lost, %.0f %% duplicated, %.0f %% reordered", lost*100, duplicated*100, reordered*100)
	c.Network.SetLoss(lost)
	c.Network.SetDuplicate(duplicated)
	c.Network.SetReorder(reordered)
}

// Delay sets how long all takes on its way.
func (c *Cluster) Delay(shortest, longest time.Duration) {
	c.Logf("delays are %s to %s", shortest, longest)
	c.Network.SetDelay(shortest, longest)
}

// Pause lets nothing into a member or out of it.
func (c *Cluster) Pause(i int) {
	c.Logf("pausing member %d", i)
	m := c.Member(i)
	m.mu.Lock()
	if m.paused == nil {
		m.paused = make(chan struct{})
	}
	m.mu.Unlock()
	for _, other := range c.Members() {
		if other.Index != i {
			c.Network.Block(m.IP(), other.IP())
			c.Network.Block(other.IP(), m.IP())
		}
	}
}

// Resume takes a Pause back, and all blocks of the member.
func (c *Cluster) Resume(i int) {
	m := c.Member(i)
	m.mu.Lock()
	paused := m.paused
	m.paused = nil
	m.mu.Unlock()
	if paused == nil {
		return
	}
	c.Logf("resuming member %d", i)
	for _, other := range c.Members() {
		if other.Index != i {
			c.Network.Unblock(m.IP(), other.IP())
			c.Network.Unblock(other.IP(), m.IP())
		}
	}
	close(paused)
}

// Heal takes all faults of the network back. Members that are paused or down stay so.
func (c *Cluster) Heal() {
	c.Logf("the network heals")
	c.Network.SetLoss(0)
	c.Network.SetDuplicate(0)
	c.Network.SetReorder(0)
	c.Network.SetDelay(0, 2*time.Millisecond)
	c.Network.Heal()
	for _, m := range c.Members() {
		m.mu.Lock()
		paused := m.paused != nil
		m.mu.Unlock()
		if paused {
			c.Pause(m.Index)
		}
	}
}

// HealPartition takes a partition back alone.
func (c *Cluster) HealPartition() {
	c.Logf("the partition ends")
	c.Network.Partition()
}
