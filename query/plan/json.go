package plan

import (
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
)

func fromJSONFunction(name string, receiver *cqltype.Type) (*function, error) {
	return nil, schema.Invalid("Function 'system.%s' is not supported yet", name)
}

func appendJSON(dst []byte, t *cqltype.Type, v []byte) []byte { return dst }
