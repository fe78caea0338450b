package config

import "testing"

func TestValues(t *testing.T) {
	c := Default()
	c.ClusterName = "yes" // which YAML would have to quote
	got := map[string]string{}
	for _, v := range c.Values() {
		got[v.Setting] = v.Text
	}
	if got["cluster_name"] != "yes" || got["memory"] != "1GiB" || got["page_size"] != "5000" || got["seeds"] != "" {
		t.Errorf("%v", got)
	}
	if _, ok := got["postgres_port"]; ok {
		t.Error("a setting that is refused is shown")
	}
}
