package config

import "go.yaml.in/yaml/v3"

// Values returns all settings with their values, in the order of the reference. Their text is not quoted as in YAML,
// passwords are replaced by stars, and where the values came from is left out.
func (c Config) Values() []Value {
	var out []Value
	for _, s := range settings {
		if s.reserved {
			continue
		}
		v := Value{Setting: s.name}
		if err := yaml.Unmarshal([]byte(s.format(&c)), &v.Text); err != nil {
			v.Text = s.format(&c)
		}
		out = append(out, v)
	}
	return out
}
