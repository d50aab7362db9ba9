// What a server would emit for its requests, by the stock SDK, and one record of each signal with every kind of field.
//   node emit.mjs grpc|proto|json ENDPOINT SERVICE REQUESTS
import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, ValueType, createTraceState, trace } from '@opentelemetry/api';
import { SeverityNumber } from '@opentelemetry/api-logs';
import { CompressionAlgorithm } from '@opentelemetry/otlp-exporter-base';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { AggregationTemporality, AggregationType, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';

const [protocol, endpoint, service, requests] = process.argv.slice(2);
const kind = protocol === 'json' ? 'http' : protocol;
const signals = { trace: 'traces', metrics: 'metrics', logs: 'logs' };

async function exporter(signal, name, options = {}) {
  const { [name]: Exporter } = await import(`@opentelemetry/exporter-${signal}-otlp-${kind}`);
  const url = kind === 'grpc' ? endpoint : `${endpoint}/v1/${signals[signal]}`;
  return new Exporter({ url, compression: CompressionAlgorithm.GZIP, ...options });
}

const resource = resourceFromAttributes({ 'service.name': service, 'service.version': '2.0', 'service.instance.id': 'i-1', 'host.cpus': 4 });
const tracers = new NodeTracerProvider({
  resource,
  spanProcessors: [new BatchSpanProcessor(await exporter('trace', 'OTLPTraceExporter'), { maxQueueSize: 100000 })],
});
tracers.register(); // also keeps the current span through callbacks
const loggers = new LoggerProvider({
  resource,
  processors: [new BatchLogRecordProcessor({ exporter: await exporter('logs', 'OTLPLogExporter'), maxQueueSize: 100000 })],
});
const temporalityPreference = AggregationTemporality.DELTA;
const meters = new MeterProvider({
  resource,
  readers: [
    new PeriodicExportingMetricReader({
      exporter: await exporter('metrics', 'OTLPMetricExporter', { temporalityPreference }),
      exportIntervalMillis: 3_600_000, // once, at the end
      exportTimeoutMillis: 30_000,
    }),
  ],
  views: [
    { instrumentName: 'sizes', aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } },
    { instrumentName: 'latency', aggregation: { type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM, options: { boundaries: [0.1, 0.2] } } },
  ],
});
const tracer = tracers.getTracer('js-tracer', '1.2.3', { schemaUrl: 'https://opentelemetry.io/schemas/1.40.0' });
const logger = loggers.getLogger('js-logger', '4.5.6');
const meter = meters.getMeter('js-meter', '7.8.9');

const TIME = [1760000000, 123456789];
const VALUES = {
  text: 'Grüße 🚀', empty: '', yes: true, no: false, whole: 9007199254740991, negative: -7, real: 0.1,
  texts: ['a', 'b'], wholes: [1, 2], reals: [0.5, 1.5], flags: [true, false],
};

function everything() {
  const linked = { traceId: '0102030405060708090a0b0c0d0e0f10', spanId: '0102030405060708', traceFlags: TraceFlags.SAMPLED, traceState: createTraceState('k=v') };
  const parent = trace.setSpanContext(ROOT_CONTEXT, { ...linked, isRemote: true });
  const span = tracer.startSpan(
    'everything',
    { kind: SpanKind.CONSUMER, startTime: TIME, attributes: VALUES, links: [{ context: linked, attributes: { why: 'batch' } }] },
    parent,
  );
  span.addEvent('retry', { attempt: 2 }, [TIME[0], TIME[1] + 1]);
  span.recordException(new TypeError('no such label'), [TIME[0], TIME[1] + 2]);
  span.setStatus({ code: SpanStatusCode.ERROR, message: 'failed' });
  span.end([TIME[0] + 1, TIME[1]]);
  for (const [name, number] of Object.entries(SpanKind).filter(([, value]) => typeof value === 'number')) {
    const each = tracer.startSpan(`kind ${name}`, { kind: number });
    each.setStatus({ code: SpanStatusCode.OK });
    each.end();
  }
  logger.emit({
    eventName: 'label.rejected', timestamp: TIME, observedTimestamp: [TIME[0], TIME[1] + 5],
    severityNumber: SeverityNumber.FATAL2, severityText: 'FATAL2', context: parent,
    body: { said: 'no', scores: [1, 0.5, null], raw: new Uint8Array([0, 255]) },
    attributes: { ...VALUES, map: { inner: { deep: [1, 'zwei'] } }, bytes: new Uint8Array([1, 2]) },
  });
}

function measure() {
  const attributes = { route: '/predict', batch: 8, cached: true };
  meter.createCounter('served', { unit: '{request}', description: 'requests served', valueType: ValueType.INT }).add(3, attributes);
  meter.createUpDownCounter('waiting').add(-2.5, attributes);
  meter.createGauge('temperature', { unit: 'Cel' }).record(71.5, attributes);
  meter.createObservableGauge('memory', { unit: 'By' }).addCallback((observe) => observe.observe(1024, attributes));
  const sizes = meter.createHistogram('sizes');
  [0, 1, 2, 1024].forEach((size) => sizes.record(size, attributes));
}

function serve(number, latency) {
  tracer.startActiveSpan('request', { kind: SpanKind.SERVER, attributes: { number } }, (request) => {
    tracer.startActiveSpan('forward', { attributes: { number } }, (forward) => {
      logger.emit({ severityNumber: SeverityNumber.INFO, body: `number ${number}`, attributes: { number }, context: context.active() });
      latency.record(number / 1000, { route: '/predict' });
      forward.end();
    });
    request.end();
  });
}

everything();
measure();
const latency = meter.createHistogram('latency', { unit: 's' });
for (let number = 0; number < Number(requests); number++) serve(number, latency);
await Promise.all([tracers.shutdown(), loggers.shutdown(), meters.shutdown()]);
