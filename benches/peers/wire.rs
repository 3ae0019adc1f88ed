//! Remote-write requests by hand, from the specification: `WriteRequest{timeseries=1}`, `TimeSeries{labels=1,
//! samples=2}`, `Label{name=1, value=2}`, `Sample{value=1, timestamp=2}`. Also for the decoder's own bench, so that both
//! send the same.

/// The body of a request.
#[derive(Debug, Default)]
pub(crate) struct Request {
    message: Vec<u8>,
    series: Vec<u8>,
}

impl Request {
    /// Adds the samples (milliseconds, value) of a series; `labels` come from [`labels`].
    pub(crate) fn push(&mut self, labels: &[u8], samples: impl Iterator<Item = (i64, f64)>) {
        self.series.clear();
        self.series.extend_from_slice(labels);
        for (time_ms, value) in samples {
            let mut sample = vec![0x09];
            sample.extend_from_slice(&value.to_bits().to_le_bytes());
            sample.push(0x10);
            varint(&mut sample, time_ms as u64);
            field(&mut self.series, 2, &sample);
        }
        field(&mut self.message, 1, &self.series);
    }

    /// The body as it is sent.
    pub(crate) fn compressed(&self) -> Result<Vec<u8>, snap::Error> {
        snap::raw::Encoder::new().compress_vec(&self.message)
    }
}

/// The label fields of a series, which must come sorted by name.
pub(crate) fn labels<'a>(labels: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<u8> {
    let mut series = Vec::new();
    for (name, value) in labels {
        let mut label = Vec::new();
        field(&mut label, 1, name.as_bytes());
        field(&mut label, 2, value.as_bytes());
        field(&mut series, 1, &label);
    }
    series
}

/// The label fields of one series of a kubelet, about 400 bytes.
pub(crate) fn kubelet(index: usize) -> Vec<u8> {
    labels(kubelet_labels(index).iter().map(|(name, value)| (*name, value.as_str())))
}

/// Its labels.
pub(crate) fn kubelet_labels(index: usize) -> [(&'static str, String); 13] {
    [
        ("__name__", "container_network_receive_bytes_total".to_owned()),
        ("container", "checkout-service".to_owned()),
        ("endpoint", "https-metrics".to_owned()),
        ("id", format!("/kubepods/burstable/pod{index:032x}/{:016x}", index * 7919)),
        ("image", "registry.example.com/shop/checkout:v1.42.7".to_owned()),
        ("instance", format!("10.12.{}.{}:10250", index / 250, index % 250)),
        ("interface", "eth0".to_owned()),
        ("job", "kubelet".to_owned()),
        ("metrics_path", "/metrics/cadvisor".to_owned()),
        ("namespace", "production".to_owned()),
        ("node", format!("ip-10-12-{}-{}.eu-central-1", index / 250, index % 250)),
        ("pod", format!("checkout-service-7d9c5b6f4-{index:05x}")),
        ("service", "kube-prometheus-kubelet".to_owned()),
    ]
}

/// Appends a number in as few bytes as protobuf allows.
pub(crate) fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Appends a field that holds bytes.
pub(crate) fn field(out: &mut Vec<u8>, number: u8, content: &[u8]) {
    out.push(number << 3 | 2);
    varint(out, content.len() as u64);
    out.extend_from_slice(content);
}
