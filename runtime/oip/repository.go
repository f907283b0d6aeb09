package oip

import "livelab/runtime/jsonscan"

// DecodeIndex reads the body of POST /v2/repository/index, which may be empty:
// whether only models that are ready are asked for.
func DecodeIndex(text []byte) (ready bool, errs []Error) {
	d := newDecoder(text)
	if d.Empty() {
		return false, nil
	}
	d.message(func(key []byte) error {
		if !d.known(key, "ready") {
			_, err := d.Skip(1)
			return err
		}
		kind, err := d.Skip(1)
		if err == nil && kind != "true" && kind != "false" && kind != "null" {
			d.refuseHere("must be true or false, not " + kind)
		}
		ready = kind == "true"
		d.leave(err)
		return err
	})
	return ready, d.all()
}

// DecodeChoice reads the body of a load or unload, which may be empty: the
// version under its parameters, empty for none. Parameters that would change
// the model's files or configuration are refused, as nothing would come of
// them.
func DecodeChoice(text []byte) (version string, errs []Error) {
	d := newDecoder(text)
	if d.Empty() {
		return "", nil
	}
	d.message(func(key []byte) error {
		if !d.known(key, "parameters") {
			_, err := d.Skip(1)
			return err
		}
		err := d.parameters(func(key []byte) (err error) {
			switch {
			case string(key) == "version":
				d.place.field = "version"
				version, _, err = d.optionalText()
				return err
			case string(key) == "unload_dependents":
			default:
				d.refuseHere(`knows version and no "` + jsonscan.Printable(key) + `"`)
			}
			_, err = d.Skip(2)
			return err
		})
		d.leave(err)
		return err
	})
	return version, d.all()
}
