package main

import (
	"context"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
)

// startNullTelemetry records every span and measurement, and does not export them, as null-telemetry.ts does.
func startNullTelemetry() {
	otel.SetTextMapPropagator(propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{}))
	otel.SetTracerProvider(trace.NewTracerProvider(trace.WithBatcher(nullSpans{})))
	reader := metric.NewPeriodicReader(nullMetrics{}, metric.WithInterval(5*time.Second))
	otel.SetMeterProvider(metric.NewMeterProvider(metric.WithReader(reader)))
}

type nullSpans struct{}

func (nullSpans) ExportSpans(context.Context, []trace.ReadOnlySpan) error { return nil }
func (nullSpans) Shutdown(context.Context) error                          { return nil }

type nullMetrics struct{}

func (nullMetrics) Temporality(kind metric.InstrumentKind) metricdata.Temporality {
	return metric.DefaultTemporalitySelector(kind)
}
func (nullMetrics) Aggregation(kind metric.InstrumentKind) metric.Aggregation {
	return metric.DefaultAggregationSelector(kind)
}
func (nullMetrics) Export(context.Context, *metricdata.ResourceMetrics) error { return nil }
func (nullMetrics) ForceFlush(context.Context) error                          { return nil }
func (nullMetrics) Shutdown(context.Context) error                            { return nil }
