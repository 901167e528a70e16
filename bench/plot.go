package main

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	_ "gonum.org/v1/plot/vg/vgsvg" // writes SVG
)

// plotGrowth writes the curves as an SVG, with logarithmic axes.
func plotGrowth(path string, curves []curve) error {
	p := plot.New()
	p.Title.Text = "What an operation costs as the data grow"
	p.X.Label.Text = "rows, keys or messages"
	p.Y.Label.Text = "microseconds"
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.LogTicks{Prec: -1}, plot.LogTicks{Prec: -1}
	p.BackgroundColor = color.White
	p.Legend.Top, p.Legend.Left = true, true
	p.Add(plotter.NewGrid())
	for i, c := range curves {
		points := make(plotter.XYs, len(c.Sizes))
		for j, size := range c.Sizes {
			points[j] = plotter.XY{X: float64(size), Y: c.Median[j] / 1e3}
		}
		line, marks, err := plotter.NewLinePoints(points)
		if err != nil {
			return err
		}
		line.Color, marks.Color, marks.Shape = plotutil.Color(i), plotutil.Color(i), plotutil.Shape(i)
		p.Add(line, marks)
		p.Legend.Add(c.Name, line, marks)
	}
	p.Y.Min, p.Y.Max = 1, max(p.Y.Max*30, 10_000) // room for the legend
	return p.Save(9*vg.Inch, 6*vg.Inch, path)
}
