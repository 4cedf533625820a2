//! The least of HTTP/1.1 that two friends need: one exchange for each connection. No stand-in for an HTTP library.

use std::io::{self, BufRead, Read, Write};

use http::header::{CONTENT_LENGTH, HeaderName, HeaderValue, TRANSFER_ENCODING};
use http::{HeaderMap, Request, Response, request, response};

/// Writes a whole request.
pub(crate) fn write_request(out: &mut impl Write, request: &Request<bytes::Bytes>) -> io::Result<()> {
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    let host = request.uri().authority().map_or("", |authority| authority.as_str());
    let mut text = format!(
        "{} {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n",
        request.method()
    );
    text += &format!("content-length: {}\r\n", request.body().len());
    let mut bytes = with_headers(text, request.headers());
    bytes.extend_from_slice(request.body());
    out.write_all(&bytes)
}

/// The head of a response. A body without a length is what comes until the end of the connection.
pub(crate) fn head(head: &response::Parts, length: Option<usize>) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {}\r\nconnection: close\r\n", head.status);
    if let Some(length) = length {
        text += &format!("content-length: {length}\r\n");
    }
    with_headers(text, &head.headers)
}

fn with_headers(text: String, headers: &HeaderMap) -> Vec<u8> {
    let mut bytes = text.into_bytes();
    for (name, value) in headers.iter().filter(|(name, _)| **name != CONTENT_LENGTH) {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}

/// Reads the head of a request.
pub(crate) fn read_request(input: &mut impl BufRead) -> io::Result<request::Parts> {
    let line = line(input)?;
    let mut words = line.split(' ');
    let mut request = Request::builder()
        .method(words.next().unwrap_or_default())
        .uri(words.next().unwrap_or_default())
        .body(())
        .map_err(io::Error::other)?;
    *request.headers_mut() = headers(input)?;
    Ok(request.into_parts().0)
}

/// Reads the head of a response.
pub(crate) fn read_response(input: &mut impl BufRead) -> io::Result<response::Parts> {
    let line = line(input)?;
    let status = line.split(' ').nth(1).unwrap_or_default();
    let mut response = Response::builder().status(status).body(()).map_err(io::Error::other)?;
    *response.headers_mut() = headers(input)?;
    if response.headers().contains_key(TRANSFER_ENCODING) {
        return Err(io::Error::other("no transfer coding is spoken here"));
    }
    Ok(response.into_parts().0)
}

/// The body that belongs to these headers: so many bytes, or all there are.
pub(crate) fn body<R: BufRead>(input: R, headers: &HeaderMap, without_length: u64) -> io::Take<R> {
    input.take(length(headers).unwrap_or(without_length))
}

/// The length of a body, where it is said.
pub(crate) fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn headers(input: &mut impl BufRead) -> io::Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    loop {
        let line = line(input)?;
        if line.is_empty() {
            return Ok(headers);
        }
        let (name, value) = line
            .split_once(':')
            .ok_or_else(|| io::Error::other("a header without a colon"))?;
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(io::Error::other)?;
        headers.append(name, HeaderValue::from_str(value.trim()).map_err(io::Error::other)?);
    }
}

fn line(input: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    match input.take(16 * 1024).read_line(&mut line)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(line.trim_end().to_string()),
    }
}
