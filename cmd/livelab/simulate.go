package main

import (
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"livelab/pipeline/ingest/sim"
)

func (a *app) simulateCommand() *cobra.Command {
	var listen string
	var cfg sim.Config
	var start string
	var speed float64
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Serve a city that is made up, over the APIs of CityBikes and Open-Meteo",
		Args:  cobra.NoArgs,
		Example: `  livelab simulate --listen 127.0.0.1:8090
  livelab ingest --once --source sim --citybikes-url http://127.0.0.1:8090/v2 \
    --openmeteo-url http://127.0.0.1:8090/v1/forecast`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var from time.Time
			if start != "" {
				var err error
				if from, err = time.Parse(time.RFC3339, start); err != nil {
					return usageError("--start is %q, must be a time such as 2026-03-01T00:00:00Z", start)
				}
			}
			if speed <= 0 {
				return usageError("--speed is %v, must be more than 0", speed)
			}
			city, err := sim.NewCity(cfg)
			if err != nil {
				return usageError("%w", err)
			}
			clock := sim.NewClock(from, speed, time.Now)
			handler, err := sim.NewServer(sim.ServerConfig{Cities: []*sim.City{city}, Now: clock.Now})
			if err != nil {
				return err
			}
			l, err := net.Listen("tcp", listen)
			if err != nil {
				return listenError(listen, err)
			}
			a.printf("the city %s answers on http://%s/v2/networks/%s\n", city.Network().Name, l.Addr(), city.Network().ID)
			server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
			ended := make(chan error, 1)
			go func() { ended <- server.Serve(l) }()
			select {
			case <-cmd.Context().Done():
				return server.Close()
			case err := <-ended:
				if errors.Is(err, http.ErrServerClosed) {
					return nil
				}
				return err
			}
		},
	}
	f := cmd.Flags()
	f.StringVar(&listen, "listen", "127.0.0.1:8090", "`address` to serve on")
	f.Uint64Var(&cfg.Seed, "seed", 1, "which city to make")
	f.StringVar(&cfg.ID, "network", "sim-city", "the network's `ID`")
	f.IntVar(&cfg.Stations, "stations", 60, "how many stations the city has, at most 2000")
	f.StringVar(&start, "start", "", "`time` at which the city's clock starts, RFC 3339 (default: now)")
	f.Float64Var(&speed, "speed", 1, "how many seconds pass in the city in one of ours")
	return cmd
}
