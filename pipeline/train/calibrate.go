package train

import (
	"math"

	"livelab/pipeline/detmath"
	"livelab/pipeline/model"
)

// identity is the calibration that changes nothing.
var identity = model.Calibration{Slope: 1}

// calibrate finds the slope and offset with which the log odds z forecast the
// outcomes best (Platt, 1999), by Newton's method. As Platt proposes, the
// targets are a little inside 0 and 1, so that separable data has an optimum
// too. Where the slope would not be positive (the order of the rows would turn
// over) or nothing sensible is found, the answer is the identity.
func calibrate(z []float64, y []bool) model.Calibration {
	positives := countTrue(y)
	targets := [2]float64{
		1 / float64(len(y)-positives+2),
		float64(positives+1) / float64(positives+2),
	}
	c := identity
	at := plattSums(c, z, y, targets)
	for range 100 {
		slope, offset, ok := at.newton()
		if !ok {
			return identity
		}
		moved := false
		for t := 1.0; t > 1e-10 && !moved; t /= 2 {
			trial := model.Calibration{Slope: c.Slope - float64(t*slope), Offset: c.Offset - float64(t*offset)}
			next := plattSums(trial, z, y, targets)
			if next.loss <= at.loss+float64(1e-14*math.Abs(at.loss)) {
				c, at, moved = trial, next, true
			}
		}
		if !moved || max(math.Abs(slope), math.Abs(offset)) < 1e-10 {
			break
		}
	}
	if !(c.Slope > 0) || math.IsInf(c.Slope, 0) || math.IsNaN(c.Offset) || math.IsInf(c.Offset, 0) {
		return identity
	}
	return c
}

// platt holds the loss of a calibration and its derivatives by slope (s) and
// offset (o).
type platt struct {
	loss, gradSlope, gradOffset, hss, hso, hoo float64
}

// newton is the step to take off. There is none where the log odds do not
// vary.
func (s platt) newton() (slope, offset float64, ok bool) {
	determinant := float64(s.hss*s.hoo) - float64(s.hso*s.hso)
	slope = (float64(s.hoo*s.gradSlope) - float64(s.hso*s.gradOffset)) / determinant
	offset = (float64(s.hss*s.gradOffset) - float64(s.hso*s.gradSlope)) / determinant
	return slope, offset, determinant > 0
}

func plattSums(c model.Calibration, z []float64, y []bool, targets [2]float64) platt {
	var s platt
	for i, zi := range z {
		target := targets[0]
		if y[i] {
			target = targets[1]
		}
		v := float64(c.Slope*zi) + c.Offset
		p := detmath.Sigmoid(v)
		s.loss += detmath.Softplus(v) - float64(target*v)
		r, h := p-target, float64(p*(1-p))
		s.gradSlope += float64(r * zi)
		s.gradOffset += r
		hz := float64(h * zi)
		s.hss += float64(hz * zi)
		s.hso += hz
		s.hoo += h
	}
	return s
}

// meanLoss is the mean log loss of calibrated log odds.
func meanLoss(c model.Calibration, z []float64, y []bool) float64 {
	var sum float64
	for i, zi := range z {
		v := float64(c.Slope*zi) + c.Offset
		if y[i] {
			v = -v
		}
		sum += detmath.Softplus(v)
	}
	return sum / float64(len(z))
}
