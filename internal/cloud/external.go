package cloud

import (
	"context"
	"fmt"
	"net/http"
)

// SetExternal says whether the database of a tenant may be reached from outside, and returns what holds
// then.
func (c *Client) SetExternal(ctx context.Context, id string, enabled bool) (bool, error) {
	var told struct {
		Data struct {
			Enabled *bool `json:"external_db_access"`
		}
	}
	r := request{method: http.MethodPut, path: tenantPath(id, "/external-db-access"), tenant: id, body: fmt.Appendf(nil, `{"enabled":%t}`, enabled)}
	if _, err := c.ask(ctx, r, &told); err != nil {
		return false, err
	}
	if told.Data.Enabled == nil {
		return false, c.checkWhole("external_db_access")
	}
	return *told.Data.Enabled, nil
}
