package ingest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strings"
	"time"

	"livelab/pipeline/observation"
)

// CityBikesConfig says where CityBikes is.
type CityBikesConfig struct {
	// BaseURL is the live API. Default https://api.citybik.es/v2.
	BaseURL string
	// HistoryURL has the dumps. Default https://data.citybik.es.
	HistoryURL string
	// MaxHistory bounds the file of one month in bytes. Default 1 GiB.
	MaxHistory int64
}

// CityBikes is the client of CityBikes, for any number of networks.
type CityBikes struct {
	cfg    CityBikesConfig
	client *Client
}

// NewCityBikes fills in the defaults. Networks that share a client share its
// knowledge of the rate limit.
func NewCityBikes(cfg CityBikesConfig, client *Client) *CityBikes {
	cfg.BaseURL = cmp.Or(cfg.BaseURL, "https://api.citybik.es/v2")
	cfg.HistoryURL = cmp.Or(cfg.HistoryURL, "https://data.citybik.es")
	cfg.MaxHistory = cmp.Or(cfg.MaxHistory, 1<<30)
	return &CityBikes{cfg: cfg, client: client}
}

// ErrNoHistory says that CityBikes has no history of a network for a month.
var ErrNoHistory = errors.New("no history")

// Bikes fetches what a network shows now.
func (c *CityBikes) Bikes(ctx context.Context, network string) (observation.Payload, error) {
	u, err := joinURL(c.cfg.BaseURL, "networks", network)
	if err != nil {
		return observation.Payload{}, err
	}
	body, at, err := c.client.Get(ctx, u)
	if isStatus(err, http.StatusNotFound) {
		list, _ := joinURL(c.cfg.BaseURL, "networks")
		return observation.Payload{}, fmt.Errorf("fetch bikes: network %q is not known, choose an id of %s: %w", network, list, err)
	}
	if err != nil {
		return observation.Payload{}, fmt.Errorf("fetch bikes: %w", err)
	}
	return observation.Payload{Kind: observation.KindBikes, Network: network, FetchedAt: at, Body: body}, nil
}

// Network asks where a network is, without judging its stations.
func (c *CityBikes) Network(ctx context.Context, network string) (observation.Network, error) {
	payload, err := c.Bikes(ctx, network)
	if err != nil {
		return observation.Network{}, err
	}
	var parsed bikesBody
	if err := json.Unmarshal(trimBody(payload.Body), &parsed); err != nil || parsed.Network == nil {
		_, err := DecodeBikes(payload.Body, payload.FetchedAt)
		return observation.Network{}, fmt.Errorf("network %s: %w", network, err)
	}
	n := (&bikesDecoder{}).network(parsed)
	n.ID = network
	return n, nil
}

// StationIDs gives the stations' IDs by what the operator calls them, which is
// how the history names them. An operator's name that two stations share is
// left out.
func (c *CityBikes) StationIDs(ctx context.Context, network string) (map[string]string, error) {
	payload, err := c.Bikes(ctx, network)
	if err != nil {
		return nil, err
	}
	var parsed bikesBody
	if err := json.Unmarshal(trimBody(payload.Body), &parsed); err != nil || parsed.Network == nil {
		_, err := DecodeBikes(payload.Body, payload.FetchedAt)
		return nil, fmt.Errorf("network %s: %w", network, err)
	}
	ids := make(map[string]string)
	shared := make(map[string]bool)
	for _, s := range parsed.Network.Stations.stations {
		uid, id := string(s.Extra.v.UID), string(s.ID)
		if uid == "" || id == "" {
			continue
		}
		if former, there := ids[uid]; there && former != id {
			shared[uid] = true
		}
		ids[uid] = id
	}
	for uid := range shared {
		delete(ids, uid)
	}
	return ids, nil
}

// History downloads a network's Parquet file of the month that t lies in. The
// error is ErrNoHistory where CityBikes has none.
func (c *CityBikes) History(ctx context.Context, network string, t time.Time, to File) error {
	month := t.UTC().Format("200601")
	u, err := joinURL(c.cfg.HistoryURL, "dumps", "by-network", month[:4], month+"-"+network+"-stats.parquet")
	if err != nil {
		return err
	}
	err = c.client.Download(ctx, u, c.cfg.MaxHistory, to)
	// The object store behind it answers 403 for what is not there.
	if isStatus(err, http.StatusNotFound) || isStatus(err, http.StatusForbidden) {
		return fmt.Errorf("%w of %s for %s: %w", ErrNoHistory, network, month, err)
	}
	if err != nil {
		return fmt.Errorf("fetch history: %w", err)
	}
	return nil
}

func isStatus(err error, status int) bool {
	var s *StatusError
	return errors.As(err, &s) && s.Status == status
}

// joinURL appends path elements, each escaped, to a base URL.
func joinURL(base string, elements ...string) (string, error) {
	u, err := url.Parse(base)
	if err != nil || !overHTTP(u) {
		return "", fmt.Errorf("the base address %q must begin with http:// or https:// and name a host", base)
	}
	for i, e := range elements {
		if e == "" || strings.Trim(e, ".") == "" {
			return "", fmt.Errorf("%q cannot be part of the path of a URL; name a network such as oslo-bysykkel", e)
		}
		elements[i] = url.PathEscape(e)
	}
	return u.JoinPath(elements...).String(), nil
}

// network is the decoded description, coordinates NaN where unknown.
func (d *bikesDecoder) network(parsed bikesBody) observation.Network {
	var n observation.Network
	n.Latitude, n.Longitude = math.NaN(), math.NaN()
	if b := parsed.Network; b != nil {
		n.ID, _ = cleanText(string(b.ID))
		n.Name, _ = cleanText(string(b.Name))
		n.City, _ = cleanText(string(b.Location.v.City))
		n.Country, _ = cleanText(string(b.Location.v.Country))
		n.Latitude, n.Longitude = d.coordinates(b.Location.v.Latitude, b.Location.v.Longitude)
	}
	return n
}
